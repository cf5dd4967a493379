// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

/// Shared (not process-private) futexes; std::atomic::wait uses private ones, which do not cross processes.
namespace weir::sync {

/// No sleep is longer: whoever sleeps looks again after this, so that a wake-up lost to a kill costs no more.
inline constexpr std::chrono::milliseconds kLongestSleep{100};

enum class sleep_result { woken, timed_out };  // woken: or the value differed, or a signal came; look again

/// Sleeps while `word` holds `expected`, until `until` of the steady clock at most (and kLongestSleep at most).
sleep_result sleep_on(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                      std::chrono::steady_clock::time_point until) noexcept;
/// Wakes at most `count` sleepers; returns how many there were.
int wake_sleepers(const std::atomic<std::uint32_t>& word, int count) noexcept;

/// One pause of a spinning thread.
inline void relax() noexcept { __builtin_ia32_pause(); }

/// How long it pays to spin before a sleep: grows while spinning finds what it waits for, or a sleep turns out so short
/// that spinning longer would have; shrinks while it does not. One for each thing waited on and process; races between
/// threads only blur the estimate.
class spin_estimate {
 public:
  [[nodiscard]] std::uint32_t rounds() const noexcept { return rounds_.load(std::memory_order_relaxed); }
  void paid() noexcept;
  void did_not_pay() noexcept;
  /// What was waited for came after a sleep of this length.
  void slept(std::chrono::steady_clock::duration length) noexcept {
    if (length < kWorthSpinning) {
      paid();
    } else {
      did_not_pay();
    }
  }

 private:
  static constexpr std::chrono::microseconds kWorthSpinning{100};  // spinning would have met the other awake as well
  static constexpr std::uint32_t kMost = 2000;  // about 20 us, half of what a sleep and a wake-up cost
  static constexpr std::uint32_t kLeast = 50;
  std::atomic<std::uint32_t> rounds_{kMost};
};

}  // namespace weir::sync
