// SPDX-License-Identifier: BSL-1.0
#include "channel/spin.hpp"

namespace weir::detail {

void channel_core::keep_distance(const ring_place& p) noexcept {
  constexpr std::uint64_t kDistance = 8;
  constexpr int kRounds = 64;
  if (ring_.count() < 4 * kDistance) return;
  const ring_place ahead = ring_.locate(p.ticket + kDistance);
  for (int round = 0; round < kRounds; ++round) {
    if (ch::turns_ahead(ahead.at->state.load(std::memory_order_relaxed), ahead.turn) >= 0) return;
    sync::relax();
  }
}

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

fast_path::spun fast_path::spin_for_item() noexcept {
  if (!may_take()) return spun::not_at_all;
  return static_cast<channel_core*>(this)->spin_until_full();
}

fast_path::spun channel_core::spin_until_full() noexcept {
  // Items that come so soon are a stream. Who takes each of them as soon as it is there keeps fetching the lines that the
  // putter is writing to, which slows both down; the general way leaves it some distance.
  constexpr std::uint32_t kStream = 2;
  sync::patience patience(for_item_);
  for (;;) {
    const ring_place p = ring_.next_take();
    const ch::slot_state seen = p.at->state.load(std::memory_order_relaxed);
    if (seen == ch::make_state(p.turn, ch::phase::full)) {
      return patience.made() <= kStream ? spun::not_at_all : spun::item;
    }
    if (!spin_at(p, seen, patience)) return spun::vainly;
  }
}

}  // namespace weir::detail
