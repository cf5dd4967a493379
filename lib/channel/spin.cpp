// SPDX-License-Identifier: BSL-1.0
#include "channel/channel_core.hpp"
#include "sync/futex.hpp"

// What a put or take of a small item does that has to wait, before it sleeps: it looks at one slot until that changes,
// and then tries again on the fast path.
namespace weir::detail {

bool channel_core::spin_at(const ring_place& p, ch::slot_state seen, sync::spin_estimate& spin,
                           std::uint32_t& spun) noexcept {
  constexpr std::uint32_t kLookUp = 64;  // rounds after which to see whether it is closed, or orphans came
  std::uint32_t most = spun < sync::spin_estimate::kLeast ? sync::spin_estimate::kLeast : spin.rounds();
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

bool channel_core::spin_to_take(void* item, std::size_t bytes) noexcept {
  std::uint32_t spun = 0;
  while (is_open_.load(std::memory_order_relaxed)) {
    const ring_place p = ring_.next_take();
    const ch::slot_state seen = p.at->state.load(std::memory_order_relaxed);
    if (fast_path::take(item, bytes)) return true;
    if (!spin_at(p, seen, spin_for_item_, spun)) return false;
  }
  return false;
}

bool channel_core::spin_to_put(const void* item, std::size_t bytes) noexcept {
  std::uint32_t spun = 0;
  while (is_open_.load(std::memory_order_relaxed)) {
    const ring_place p = ring_.next_put();
    const ch::slot_state seen = p.at->state.load(std::memory_order_relaxed);
    if (fast_path::put(item, bytes)) return true;
    if (!spin_at(p, seen, spin_for_room_, spun)) return false;
  }
  return false;
}

}  // namespace weir::detail
