// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>

namespace weir::sync {

/// How many pauses it pays to make before a sleep. Grows with what pausing finds and shrinks while it is in vain. Now and
/// then it says the most there may be, whatever the estimate: two who answer each other would otherwise go on sleeping in
/// turn, each waiting for the other's wake-up. That happens the less often the oftener it was in vain.
/// Races between threads only blur the estimate.
class spin_estimate {
 public:
  struct limits {
    std::uint32_t most;
    std::uint32_t while_paying;  ///< never fewer than this while it pays
    std::uint32_t least;
  };
  explicit spin_estimate(limits l) noexcept : limits_(l), pauses_(l.most) {}

  /// How many to make this time.
  [[nodiscard]] std::uint32_t pauses() noexcept;
  /// It came after so many. Only noted, since there is something to be done now; learnt from in the next wait.
  void paid(std::uint32_t pauses) noexcept { paid_.store(pauses, std::memory_order_relaxed); }
  /// It did not come meanwhile.
  void did_not_pay() noexcept;

 private:
  static constexpr std::uint32_t kTryEvery = 64;     // waits, at first
  static constexpr std::uint32_t kTrySeldom = 8192;  // after many failures
  limits limits_;
  std::atomic<std::uint32_t> pauses_;
  std::atomic<std::uint32_t> paid_{0};
  std::atomic<std::uint32_t> until_try_{kTryEvery};
  std::atomic<std::uint32_t> try_every_{kTryEvery};
};

}  // namespace weir::sync
