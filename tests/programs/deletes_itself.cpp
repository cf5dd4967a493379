// SPDX-License-Identifier: BSL-1.0
// Deletes its own executable, then starts a worker. Exit status 0 if that works.
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "weir/session.hpp"
#include "weir/worker.hpp"

namespace {
int answer() { return 42; }
}  // namespace

int main(int, char** argv) {
  try {
    weir::serve_if_worker();
    if (::unlink(argv[0]) != 0) return 2;
    weir::session session;
    return session.add_workers(1).front().fetch(answer) == 42 ? 0 : 3;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
