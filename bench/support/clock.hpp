// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <ctime>

namespace bench {

/// CLOCK_MONOTONIC: the same in all processes, so that one can read what another has written.
using clock_type = std::chrono::steady_clock;
using nanoseconds = std::chrono::nanoseconds;

[[nodiscard]] inline nanoseconds now() noexcept { return clock_type::now().time_since_epoch(); }

/// What all threads of this process have used of the CPUs.
[[nodiscard]] inline nanoseconds cpu_time(clockid_t of = CLOCK_PROCESS_CPUTIME_ID) noexcept {
  timespec time{};
  ::clock_gettime(of, &time);
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

inline void sleep_until(nanoseconds when) noexcept {
  constexpr std::int64_t kPerSecond = 1'000'000'000;
  const timespec time{when.count() / kPerSecond, when.count() % kPerSecond};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) != 0) {
  }
}

/// Keeps the CPU busy, so that it does not become slower or fall asleep.
inline void spin_until(nanoseconds when) noexcept {
  while (now() < when) {
  }
}

}  // namespace bench
