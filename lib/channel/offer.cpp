// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <climits>

#include "channel/wait.hpp"
#include "weir/detail/crash_point.hpp"

// How a select puts into a rendezvous: once a taker sleeps there, it leaves its item in the slot, as any put does, and
// takes it out again if nobody picks it up. A putter that dies meanwhile leaves it, as one that dies inside put.
namespace weir::detail {

bool channel_core::is_awaited(std::uint32_t own) const noexcept {
  // After the putter has entered itself; a taker enters itself before it tells putters: one of them sees the other.
  return ch::sleepers_of(header_->not_empty.word.load(std::memory_order_seq_cst)) > own;
}

void channel_core::tell_putters_of_taker(ch::waits_for what) noexcept {
  if (rendezvous_ && what == ch::waits_for::item) wake_some(header_->not_full, INT_MAX);
}

channel_core::offer_state channel_core::look_at(offer& o) noexcept {
  if (ch::turns_ahead(o.place.at->state.load(std::memory_order_seq_cst), o.place.turn) <= 0) {
    return offer_state::lies_there;
  }
  o.block.core_.reset();  // the block was the taker's
  o = offer();
  return offer_state::picked_up;
}

/// The item in the slot of a rendezvous, which is neither full nor an orphan, has been taken or is being taken.
void channel_core::check_offered(const ring_place& p) const {
  const ch::slot_state seen = p.at->state.load(std::memory_order_seq_cst);
  const std::int64_t ahead = ch::turns_ahead(seen, p.turn);
  if (ahead > 0) return;
  const bool is_being_taken = ch::phase_of(seen) == ch::phase::reading && participants_[ch::owner_of(seen)].used != 0;
  if (ahead < 0 || !is_being_taken)
    throw_corrupt(fmt::format("the slot with an item that waits for a taker says {:#x}", seen));
}

channel_core::offer_state channel_core::withdraw(offer& o) {
  if (!ring_.retract(o.place) && !withdraw_orphan(o.place)) return look_at(o);
  WEIR_CRASH_POINT("offer.withdrawn");
  wake_some(header_->not_full, INT_MAX);  // the next putter can step over the blank
  o = offer();
  return offer_state::withdrawn;
}

/// Takes back an item that a taker had claimed when it died: it is whose it was. False: it is not (yet) known to be dead.
bool channel_core::withdraw_orphan(const ring_place& p) {
  const locked lock(*this);
  if (p.at->state.load(std::memory_order_acquire) != ch::make_state(p.turn, ch::phase::orphan)) {
    check_offered(p);
    return false;
  }
  const std::uint32_t block =
      fixed_in_slot_ ? ch::kNoBlock : ch::meta_block(p.at->meta.load(std::memory_order_relaxed));
  WEIR_CRASH_POINT("pickup.withdrawing");
  if (block < blocks_.count()) {  // recovery has taken it from the taker; it was queued
    blocks_.entry(block).word.store(ch::make_block_word(ch::block_phase::held, me_), std::memory_order_release);
  }
  WEIR_CRASH_POINT("pickup.held");
  // Orphans change under the lock only.
  p.at->state.store(ch::make_state(p.turn, ch::phase::blank), std::memory_order_seq_cst);
  WEIR_CRASH_POINT("pickup.withdrawn");
  recount();
  return true;
}

void channel_core::abandon(offer& o) noexcept {
  if (ring_.retract(o.place)) {
    wake_some(header_->not_full, INT_MAX);
  } else {
    o.block.core_.reset();
  }
  o = offer();
}

}  // namespace weir::detail
