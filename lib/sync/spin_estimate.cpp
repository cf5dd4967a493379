// SPDX-License-Identifier: BSL-1.0
#include "sync/spin_estimate.hpp"

#include <algorithm>

namespace weir::sync {
namespace {
constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr std::uint32_t kDown = 8;         // a failure takes away one part in so many
constexpr std::uint32_t kDownPaying = 64;  // and a success that came sooner, one in so many
}  // namespace

std::uint32_t spin_estimate::pauses() noexcept {
  if (const std::uint32_t paid = paid_.load(kRelaxed); paid != 0) {
    const std::uint32_t estimate = pauses_.load(kRelaxed);
    paid_.store(0, kRelaxed);
    try_every_.store(kTryEvery, kRelaxed);
    pauses_.store(std::clamp(std::max(2 * paid, estimate - estimate / kDownPaying), limits_.while_paying, limits_.most),
                  kRelaxed);
  }
  const std::uint32_t left = until_try_.load(kRelaxed);
  until_try_.store(left - 1, kRelaxed);
  if (left > 1) return pauses_.load(kRelaxed);
  const std::uint32_t every = try_every_.load(kRelaxed);
  try_every_.store(std::min(2 * every, kTrySeldom), kRelaxed);  // unless it pays
  until_try_.store(every, kRelaxed);
  return limits_.most;
}

void spin_estimate::did_not_pay() noexcept {
  const std::uint32_t estimate = pauses_.load(kRelaxed);
  pauses_.store(std::max(estimate - (estimate + kDown - 1) / kDown, limits_.least), kRelaxed);
}

}  // namespace weir::sync
