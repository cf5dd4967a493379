// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace weir::sync {

/// How long it pays to spin before a sleep. Grows with what spinning finds, and when a sleep turns out so short that
/// spinning would have met the other side awake; shrinks while spins are in vain. Two rules for the rest:
///   now and then it spins as long as it may, whatever the estimate: two who answer each other would otherwise go on
///   sleeping in turn, each waiting for the other's wake-up;
///   when the longest spins fail again and again and the sleeps after them are short all the same, the other side waits
///   for our CPU: then it hardly spins at all for many waits.
/// One for each thing waited on and process; races between threads only blur the estimate.
class spin_estimate {
 public:
  /// Rounds that are worth their while before anything is asked.
  static constexpr std::uint32_t kLeast = 20;
  /// How many rounds, of one look and one relax() each, to spin this time; kLeast at least.
  [[nodiscard]] std::uint32_t rounds() noexcept;
  /// It came after so many rounds. Only noted, since there is something to be done now; learnt from in the next wait.
  void paid(std::uint32_t rounds) noexcept { paid_.store(rounds, std::memory_order_relaxed); }
  /// It came after a sleep of this length, or, did_not_pay(), not at all.
  void slept(std::chrono::steady_clock::duration length) noexcept;
  void did_not_pay() noexcept;

 private:
  void learn(std::uint32_t rounds) noexcept { rounds_.store(rounds, std::memory_order_relaxed); }
  [[nodiscard]] std::uint32_t estimate() const noexcept { return rounds_.load(std::memory_order_relaxed); }

  static constexpr std::chrono::microseconds kWorthSpinning{100};
  static constexpr std::uint32_t kMost = 4000;  // 100 to 200 us: longer than the other side takes to wake up and answer
  static constexpr std::uint32_t kWhilePaying = 500;  // a tick of the other side's clock is no reason to sleep
  static constexpr std::uint32_t kTryEvery = 64;      // waits
  static constexpr std::uint32_t kInVain = 8;         // longest spins in a row
  static constexpr std::uint32_t kGiveUpFor = 4096;   // waits
  std::atomic<std::uint32_t> rounds_{kMost};
  std::atomic<std::uint32_t> paid_{0};
  std::atomic<std::uint32_t> waits_{0};
  std::atomic<std::uint32_t> in_vain_{0};
  std::atomic<std::uint32_t> given_up_{0};
};

}  // namespace weir::sync
