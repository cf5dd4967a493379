// SPDX-License-Identifier: BSL-1.0
#include "sync/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>

namespace weir::sync {
sleep_result sleep_on(const std::uint32_t* word, std::uint32_t expected,
                      std::chrono::steady_clock::time_point until) noexcept {
  using std::chrono::nanoseconds;
  using std::chrono::seconds;
  std::chrono::steady_clock::duration length = kLongestSleep;
  if (until != std::chrono::steady_clock::time_point::max()) {
    length = std::min(length, until - std::chrono::steady_clock::now());
    if (length <= length.zero()) return sleep_result::timed_out;
  }
  const auto whole = std::chrono::duration_cast<seconds>(length);
  timespec relative{};
  relative.tv_sec = whole.count();
  relative.tv_nsec = std::chrono::duration_cast<nanoseconds>(length - whole).count();
  // Relative timeouts run on CLOCK_MONOTONIC: a step of the real-time clock changes nothing.
  const long result = ::syscall(SYS_futex, word, FUTEX_WAIT, expected, &relative, nullptr, 0);
  return result != 0 && errno == ETIMEDOUT ? sleep_result::timed_out : sleep_result::woken;
}

int wake_sleepers(const std::uint32_t* word, int count) noexcept {
  const long woken = ::syscall(SYS_futex, word, FUTEX_WAKE, std::max(count, 0), nullptr, nullptr, 0);
  return woken > 0 ? static_cast<int>(woken) : 0;
}

}  // namespace weir::sync
