// SPDX-License-Identifier: BSL-1.0
// calls N: N calls of a function that prints nothing, on one worker.
#include <cstdlib>

#include "weir/weir.hpp"

int main(int argc, char** argv) {
  weir::serve_if_worker();
  const long count = argc > 1 ? std::atol(argv[1]) : 1;
  weir::session session;
  const weir::worker worker = session.add_workers(1).front();
  for (long i = 0; i < count; ++i) {
    if (worker.fetch([](long x) { return x; }, i) != i) return 1;
  }
  return 0;
}
