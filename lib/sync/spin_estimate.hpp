// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>

namespace weir::sync {

/// How long it pays to spin before a sleep. Grows with what spinning finds and shrinks while spins are in vain. Now and then
/// it spins as long as it may, whatever the estimate: two who answer each other would otherwise go on sleeping in turn,
/// each waiting for the other's wake-up. That happens the less often the oftener it was in vain. While the thread has to
/// wait for a CPU (crowd.hpp) it hardly spins at all.
/// One for each thing waited on and process; races between threads only blur the estimate.
class spin_estimate {
 public:
  /// Rounds that are worth their while before anything else is asked.
  static constexpr std::uint32_t kLeast = 8;
  /// Where to begin: kLeast, after which rounds() says how many it is to be; or that at once.
  [[nodiscard]] std::uint32_t first_rounds() noexcept;
  /// How many rounds, of one look and one relax() each, to spin this time.
  [[nodiscard]] std::uint32_t rounds() noexcept;
  /// It came after so many rounds. Only noted, since there is something to be done now; learnt from in the next wait.
  void paid(std::uint32_t rounds) noexcept { paid_.store(rounds, std::memory_order_relaxed); }
  /// It did not come while spinning.
  void did_not_pay() noexcept;

 private:
  static constexpr std::uint32_t kMost = 4000;  // 100 to 200 us: longer than the other side takes to wake up and answer
  static constexpr std::uint32_t kWhilePaying = 500;  // a tick of the other side's clock is no reason to sleep
  static constexpr std::uint32_t kTryEvery = 64;      // waits, at first
  static constexpr std::uint32_t kTrySeldom = 8192;   // after many failures
  std::atomic<std::uint32_t> rounds_{kMost};
  std::atomic<std::uint32_t> paid_{0};
  std::atomic<std::uint32_t> until_try_{kTryEvery};
  std::atomic<std::uint32_t> try_every_{kTryEvery};
};

}  // namespace weir::sync
