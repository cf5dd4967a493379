// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <stop_token>

#include "channel/channel_core.hpp"

// What a put or take that has to wait does before it sleeps: it looks at the one slot that is to change, and tries again
// when it has.
namespace weir::detail {

/// True: `once` (attempt()) has done it. False: it is time to sleep.
template <class Once>
bool channel_core::spin_to_put(Once&& once) {
  for (sync::patience patience(for_room_);;) {
    const ring_place p = ring_.next_put();
    const ch::slot_state seen = p.at->state.load(std::memory_order_relaxed);
    if (once() == attempt::done) return true;
    keep_distance(p);
    if (!spin_at(p, seen, patience)) return false;
  }
}

template <class Once>
bool channel_core::spin_to_take(Once&& once, const std::stop_token& stop) {
  for (sync::patience patience(for_item_); !stop.stop_requested();) {
    const ring_place p = ring_.next_take();
    const ch::slot_state seen = p.at->state.load(std::memory_order_relaxed);
    if (once() == attempt::done) return true;
    if (!spin_at(p, seen, patience)) return false;
  }
  return false;
}

}  // namespace weir::detail
