// SPDX-License-Identifier: BSL-1.0
#include "sync/spin_estimate.hpp"

#include <algorithm>

#include "sync/crowd.hpp"

namespace weir::sync {
namespace {
constexpr auto kRelaxed = std::memory_order_relaxed;
}  // namespace

std::uint32_t spin_estimate::first_rounds() noexcept { return was_crowded() ? rounds() : kLeast; }

std::uint32_t spin_estimate::rounds() noexcept {
  const std::uint32_t estimate = rounds_.load(kRelaxed);
  if (const std::uint32_t paid = paid_.load(kRelaxed); paid != 0) {
    paid_.store(0, kRelaxed);
    try_every_.store(kTryEvery, kRelaxed);
    rounds_.store(std::clamp(std::max(2 * paid, estimate - estimate / 64), kWhilePaying, kMost), kRelaxed);
  }
  if (is_crowded()) return 0;
  const std::uint32_t left = until_try_.load(kRelaxed);
  until_try_.store(left - 1, kRelaxed);
  if (left > 1) return rounds_.load(kRelaxed);
  const std::uint32_t every = try_every_.load(kRelaxed);
  try_every_.store(std::min(2 * every, kTrySeldom), kRelaxed);  // unless it pays
  until_try_.store(every, kRelaxed);
  return kMost;
}

void spin_estimate::did_not_pay() noexcept {
  const std::uint32_t estimate = rounds_.load(kRelaxed);
  rounds_.store(std::max(estimate - estimate / 8, kLeast), kRelaxed);
}

}  // namespace weir::sync
