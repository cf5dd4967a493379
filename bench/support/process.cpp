// SPDX-License-Identifier: BSL-1.0
#include <sched.h>

#include <cerrno>
#include <cmath>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

#include "support/contender.hpp"

namespace bench {

std::unique_ptr<board> make_board(const plan& plan, const contender& who) {
  const std::size_t members = who.question.members(plan), queues = who.question.queues(plan);
  if (members > board::kMaxMembers || queues > board::kMaxQueues) throw std::invalid_argument("too many processes");
  return std::make_unique<board>(plan, members, queues);
}

void pin_member(const board& b, std::size_t rank) {
  const std::array<int, 2>& cpus = b.plan().cpus;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (b.members() <= 2) {
    CPU_SET(static_cast<std::size_t>(cpus.at(rank)), &set);
  } else {
    for (const int cpu : cpus) CPU_SET(static_cast<std::size_t>(cpu), &set);
  }
  // All threads there are; those that they start inherit it.
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    const pid_t id = std::stoi(thread.path().filename().string());
    if (::sched_setaffinity(id, sizeof set, &set) != 0 && errno != ESRCH) {
      throw std::system_error(errno, std::generic_category(), "sched_setaffinity");
    }
  }
}

unsigned watchdog_seconds(const plan& plan) {
  constexpr double kFactor = 4, kStart = 30;  // a busy machine is slow, and daemons take their time
  return static_cast<unsigned>(std::lround(plan.seconds * kFactor + kStart));
}

}  // namespace bench
