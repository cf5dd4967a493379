// SPDX-License-Identifier: BSL-1.0
#include "channel/spin.hpp"

namespace weir::detail {

bool channel_core::spin_at(const ring_place& p, ch::slot_state seen, sync::patience& patience) noexcept {
  while (patience.pause()) {
    __builtin_prefetch(p.at, 1);  // the claim that follows has the line already
    if (p.at->state.load(std::memory_order_relaxed) != seen) {
      patience.paid();
      return true;
    }
    if (patience.is_to_look_up() && (is_closed() || header_->orphans.load(std::memory_order_relaxed) != 0)) {
      return false;
    }
  }
  return false;
}

}  // namespace weir::detail
