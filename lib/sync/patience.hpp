// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>

#include "sync/futex.hpp"
#include "sync/spin_estimate.hpp"

namespace weir::sync {

/// What was learnt of one thing that is waited for, in one process.
struct wait_estimate {
  wait_estimate() noexcept = default;
  explicit wait_estimate(spin_estimate::limits of_spins) noexcept : spins(of_spins) {}

  // 100 to 200 us: longer than the other side takes to wake up and answer. A tick of its clock is no reason to sleep.
  spin_estimate spins{{.most = 4000, .while_paying = 500, .least = 8}};
  // Each lets all run that are ready.
  spin_estimate yields{{.most = 1000, .while_paying = 100, .least = 0}};
  /// Ticks of the time stamp counter: not before. After a yield that took long, several times as long passes without any, so
  /// that little time is lost where somebody computes.
  std::atomic<std::uint64_t> yield_again{0};
};

/// The pauses of one wait before it sleeps:
///
///   patience p(estimate);
///   while (p.pause()) {
///     if (it came) { p.paid(); return; }
///   }
///   sleep
///
/// A thread that has the CPU to itself spins: nothing is quicker. One that has to wait for a CPU (crowd.hpp) would so keep
/// one from the others, perhaps from the one it waits for; it lets the others run instead (sched_yield), and finds, when
/// its turn comes, what they have done, without a wake-up that somebody had to make. Unless they keep the CPU for long.
class patience {
 public:
  /// `cost`: how many times as long a look of the caller takes as one at a word of memory.
  explicit patience(wait_estimate& estimate, std::uint32_t cost = 1) noexcept : estimate_(estimate), cost_(cost) {}

  /// False: it is time to sleep.
  bool pause() noexcept {
    if (made_ >= most_ && !go_on()) return false;
    ++made_;
    if (stage_ == stage::yielding) return yield();
    relax();
    return true;
  }
  /// It came.
  void paid() noexcept;
  /// Pauses so far.
  [[nodiscard]] std::uint32_t made() const noexcept { return made_; }
  /// Whether to look now also at what seldom changes: each look at it costs something.
  [[nodiscard]] bool is_to_look_up() const noexcept { return stage_ == stage::yielding || made_ % kLookUp == 0; }

 private:
  enum class stage : std::uint32_t { first, spinning, yielding, over };
  static constexpr std::uint32_t kFirst = 8;  // spins that are worth their while before anything else is asked
  static constexpr std::uint32_t kLookUp = 64;

  bool go_on() noexcept;
  bool yield() noexcept;

  wait_estimate& estimate_;
  std::uint32_t cost_;
  std::uint32_t made_ = 0;
  std::uint32_t most_ = 0;
  stage stage_ = stage::first;
};

}  // namespace weir::sync
