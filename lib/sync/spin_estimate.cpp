// SPDX-License-Identifier: BSL-1.0
#include "sync/spin_estimate.hpp"

#include <algorithm>

namespace weir::sync {

namespace {
constexpr auto kRelaxed = std::memory_order_relaxed;
}

std::uint32_t spin_estimate::rounds() noexcept {
  if (const std::uint32_t rounds = paid_.load(kRelaxed); rounds != 0) {
    paid_.store(0, kRelaxed);
    in_vain_.store(0, kRelaxed);
    learn(std::clamp(std::max(2 * rounds, estimate() - estimate() / 64), kWhilePaying, kMost));
  }
  if (const std::uint32_t left = given_up_.load(kRelaxed); left != 0) {
    given_up_.store(left - 1, kRelaxed);
    return kLeast;
  }
  const std::uint32_t waits = waits_.load(kRelaxed);
  waits_.store(waits + 1, kRelaxed);
  return waits % kTryEvery == 0 ? kMost : estimate();
}

void spin_estimate::did_not_pay() noexcept { learn(std::max(estimate() - estimate() / 8, kLeast)); }

void spin_estimate::slept(std::chrono::steady_clock::duration length) noexcept {
  if (length >= kWorthSpinning) return did_not_pay();
  if (estimate() < kMost) return learn(std::min(estimate() + estimate() / 4 + 1, kMost));
  const std::uint32_t times = in_vain_.load(kRelaxed) + 1;
  in_vain_.store(times, kRelaxed);
  if (times >= kInVain) {
    in_vain_.store(0, kRelaxed);
    given_up_.store(kGiveUpFor, kRelaxed);
    learn(kLeast);
  }
}

}  // namespace weir::sync
