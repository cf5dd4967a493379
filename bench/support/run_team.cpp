// SPDX-License-Identifier: BSL-1.0
#include <unistd.h>

#include "support/team.hpp"

namespace bench {

int run_team(int argc, char** argv, const contender& who, void (*run)(board&, weir::session&)) {
  weir::serve_if_worker();
  const plan p = parse(argc, argv, who).plan;
  return guarded(p, who, [&] {
    const std::unique_ptr<board> shared = make_board(p, who);
    ::alarm(watchdog_seconds(p));  // ends this process, and the workers end after it
    weir::session session;
    session.add_workers(shared->members());
    run(*shared, session);
    print_report(*shared, who);
    return 0;
  });
}

}  // namespace bench
