// SPDX-License-Identifier: BSL-1.0
#include "channel/spin.hpp"

#include "sync/futex.hpp"

namespace weir::detail {

bool channel_core::spin_at(const ring_place& p, ch::slot_state seen, sync::spin_estimate& spin,
                           std::uint32_t& spun) noexcept {
  constexpr std::uint32_t kLookUp = 64;  // rounds after which to see whether it is closed, or orphans came
  std::uint32_t most = spun == 0 ? spin.first_rounds() : spin.rounds();
  while (spun < most) {
    sync::relax();
    ++spun;
    __builtin_prefetch(p.at, 1);  // the claim that follows has the line already
    if (p.at->state.load(std::memory_order_relaxed) != seen) {
      spin.paid(spun);
      return true;
    }
    if (spun % kLookUp == 0 && (is_closed() || header_->orphans.load(std::memory_order_relaxed) != 0)) return false;
    if (spun == sync::spin_estimate::kLeast) most = spin.rounds();
  }
  return false;
}

}  // namespace weir::detail
