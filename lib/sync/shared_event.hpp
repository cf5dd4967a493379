// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <chrono>
#include <climits>
#include <cstdint>
#include <type_traits>

#include "sync/futex.hpp"
#include "weir/detail/crash_point.hpp"

namespace weir::sync {

/// Something to sleep on until somebody says that it is worth to look again. Lies in shared memory as it is; zero is a
/// good start. One word: epoch << 1 | somebody sleeps. Whoever wakes clears the mark and sleepers set it anew, so that
/// one who is killed asleep costs the next waker one system call and nothing later.
///
///   a waiter:  const auto seen = event.prepare();  if (!condition()) event.sleep(seen, until);  and again
///   a waker:   make the condition true (sequentially consistent); event.signal();
class shared_event {
 public:
  /// To be called before looking at the condition.
  [[nodiscard]] std::uint32_t prepare() noexcept {
    return word_.fetch_or(kSleeper, std::memory_order_seq_cst) | kSleeper;
  }
  /// Sleeps unless signal() was called since prepare(); at most kLongestSleep.
  void sleep(std::uint32_t seen, std::chrono::steady_clock::time_point until) const noexcept {
    WEIR_CRASH_POINT("shared_event.marked");
    sleep_on(word_, seen, until);
  }
  /// No system call unless somebody sleeps, or is about to.
  void signal() noexcept {
    std::uint32_t seen = word_.load(std::memory_order_seq_cst);
    while ((seen & kSleeper) != 0) {
      // +1 clears the mark and carries into the epoch.
      if (word_.compare_exchange_weak(seen, seen + 1, std::memory_order_seq_cst)) {
        WEIR_CRASH_POINT("shared_event.advanced");
        wake_sleepers(word_, INT_MAX);
        return;
      }
    }
  }

 private:
  static constexpr std::uint32_t kSleeper = 1;
  std::atomic<std::uint32_t> word_;
};
static_assert(sizeof(shared_event) == 4 && std::is_trivially_destructible_v<shared_event>);

}  // namespace weir::sync
