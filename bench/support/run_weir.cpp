// SPDX-License-Identifier: BSL-1.0
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "support/contender.hpp"
#include "weir/weir.hpp"

namespace bench {
namespace {

const contender* the_contender = nullptr;  // the same in every process: each runs main() as far as run_weir()

void be_member(const std::string& board_path, std::size_t rank) {
  board b(board_path);
  try {
    pin_member(b, rank);
    the_contender->member(b, rank);
  } catch (const std::exception& error) {
    b.fail(error.what());
    // At once: a peer that waits for the next item would wait for ever.
    std::_Exit(1);
  }
}

}  // namespace

int run_weir(int argc, char** argv, const contender& who) {
  the_contender = &who;
  weir::serve_if_worker();
  const plan p = parse(argc, argv, who).plan;
  return guarded(p, who, [&] {
    const std::unique_ptr<board> shared = make_board(p, who);
    board& b = *shared;
    ::alarm(watchdog_seconds(p));  // ends this process, and the workers end after it
    weir::session session;
    session.on_worker_exit([&](const weir::worker_exit& exit) {
      if (exit.expected) return;
      std::fprintf(stderr, "%s of %s: %s\n", who.question.name, who.name,
                   b.failure().empty() ? "a worker died" : b.failure().c_str());
      std::_Exit(1);
    });
    const std::vector<weir::worker> workers = session.add_workers(b.members() - 1);
    const std::shared_ptr<void> host = who.host != nullptr ? who.host(b) : nullptr;
    std::vector<weir::future<void>> calls;
    for (std::size_t rank = 1; rank < b.members(); ++rank) {
      calls.push_back(workers[rank - 1].call(be_member, b.path(), rank));
    }
    pin_member(b, 0);
    who.member(b, 0);
    for (const auto& call : calls) call.get();
    print_report(b, who);
    return 0;
  });
}

}  // namespace bench
