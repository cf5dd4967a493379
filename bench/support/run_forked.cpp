// SPDX-License-Identifier: BSL-1.0
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "support/contender.hpp"

namespace bench {
namespace {

[[noreturn]] void be_member(board& b, const contender& who, std::size_t rank, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) std::_Exit(1);
  int status = 0;
  try {
    pin_member(b, rank);
    who.member(b, rank);
  } catch (const std::exception& error) {
    b.fail(error.what());
    status = 1;
  }
  std::exit(status);
}

void on_alarm(int /*signal*/) {}  // it only ends waitpid()

/// Waits for all members; the first that fails, or the watchdog, ends the others.
bool all_end_well(std::vector<pid_t> members) {
  bool well = true;
  const auto end_the_others = [&] {
    well = false;
    for (const pid_t each : members) ::kill(each, SIGKILL);
  };
  while (!members.empty()) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, 0);
    if (ended < 0 && errno == EINTR) {
      end_the_others();
    } else if (std::erase(members, ended) > 0 && status != 0) {
      end_the_others();
    }
  }
  return well;
}

}  // namespace

int run_forked(int argc, char** argv, const contender& who) {
  const plan p = parse(argc, argv, who).plan;
  return guarded(p, who, [&] {
    const std::unique_ptr<board> shared = make_board(p, who);
    board& b = *shared;
    const std::shared_ptr<void> host = who.host != nullptr ? who.host(b) : nullptr;

    struct sigaction action {};
    action.sa_handler = on_alarm;
    ::sigaction(SIGALRM, &action, nullptr);
    ::alarm(watchdog_seconds(p));
    const pid_t self = ::getpid();
    std::vector<pid_t> members;
    for (std::size_t rank = 0; rank < b.members(); ++rank) {
      const pid_t child = ::fork();
      if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
      if (child == 0) be_member(b, who, rank, self);
      members.push_back(child);
    }
    const bool well = all_end_well(std::move(members));
    ::alarm(0);
    if (!well) throw std::runtime_error(b.failure().empty() ? "a process died or got stuck" : b.failure());
    print_report(b, who);
    return 0;
  });
}

}  // namespace bench
