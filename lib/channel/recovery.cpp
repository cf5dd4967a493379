// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <cstdint>
#include <cstring>

#include "channel/bound.hpp"
#include "channel/wait.hpp"
#include "weir/detail/crash_point.hpp"

// What a dead process left half done is undone here, under the channel's lock, in single compare-and-swaps from states
// that only the dead could change. Each can be done again: a process that dies in the middle leaves the lock owner-dead
// and the participant's entry in use, and the next to look starts over.
namespace weir::detail {
namespace {

constexpr std::int64_t kLookEveryNs = 200'000'000;      // often enough to end a wait within a second of a death
constexpr std::chrono::milliseconds kLockPatience{10};  // the lock is held for microseconds
constexpr std::int64_t kStatusGraceNs = 500'000'000;    // what the control process gets to say how a worker ended

}  // namespace

void channel_core::repair() { recount(); }

/// Counts the orphans, which change under the lock only.
void channel_core::recount() {
  std::uint32_t orphans = 0;
  for (std::uint64_t index = 0; index < ring_.count(); ++index) {
    const ch::slot& slot = *ring_.slot_at(index);
    if (ch::phase_of(slot.state.load(std::memory_order_relaxed)) == ch::phase::orphan) ++orphans;
    if (ch::phase_of_view(view_of(slot)) == ch::view_phase::orphan) ++orphans;
  }
  for (std::uint32_t block = 0; block < blocks_.count(); ++block) {
    const std::uint64_t word = blocks_.entry(block).word.load(std::memory_order_relaxed);
    if (ch::phase_of_block(word) == ch::block_phase::orphan) ++orphans;
  }
  WEIR_CRASH_POINT("orphans.counted");
  header_->orphans.store(orphans, std::memory_order_seq_cst);
  WEIR_CRASH_POINT("orphans.stored");
}

bool channel_core::look_for_the_dead(bool even_if_just_looked) {
  const std::int64_t now = monotonic_ns();
  std::int64_t last = header_->looked_ns.load(std::memory_order_relaxed);
  if (!even_if_just_looked && now - last < kLookEveryNs) return true;
  WEIR_CRASH_POINT("recovery.looking");
  if (!header_->looked_ns.compare_exchange_strong(last, now, std::memory_order_relaxed) && !even_if_just_looked) {
    return true;
  }
  WEIR_CRASH_POINT("recovery.looked");
  const locked lock(*this, kLockPatience);
  if (!lock) return false;
  for (std::uint32_t entry = 1; entry < participants_high(); ++entry) {
    if (entry == me_ || participants_[entry].used.load(std::memory_order_acquire) == 0) continue;
    if (has_died(entry)) recover(entry);
  }
  close_if_a_bound_process_ended();
  return true;
}

bool channel_core::has_died(std::uint32_t participant) const {
  const ch::participant_entry& entry = participants_[participant];
  const shm::liveness life = shm::look(entry.who);
  if (life != shm::liveness::unknown) return life == shm::liveness::dead;
  return entry.used.load(std::memory_order_acquire) == ch::kShowsLife && !segment_.sees_life(life_of(participant));
}

void channel_core::recover(std::uint32_t participant) {
  WEIR_CRASH_POINT("recovery.begin");
  recover_slots(participant);
  WEIR_CRASH_POINT("recovery.slots");
  close_gaps();
  WEIR_CRASH_POINT("recovery.gaps");
  recover_blocks(participant);
  WEIR_CRASH_POINT("recovery.blocks");
  recover_waiters(participant);
  recount();
  WEIR_CRASH_POINT("recovery.counted");
  participants_[participant].used.store(0, std::memory_order_release);
  WEIR_CRASH_POINT("recovery.end");
  rouse_everybody();
  WEIR_CRASH_POINT("recovery.roused");
}

void channel_core::recover_slots(std::uint32_t dead) {
  for (std::uint64_t index = 0; index < ring_.count(); ++index) {
    ch::slot* const at = ring_.slot_at(index);
    ch::slot_state seen = at->state.load(std::memory_order_acquire);
    if (ch::phase_of(seen) == ch::phase::viewing && ch::owner_of(seen) == dead) {
      // From here on no putter can take the slot away from the item.
      const ch::slot_state reading = ch::make_state(ch::turn_of(seen), ch::phase::reading, dead);
      if (at->state.compare_exchange_strong(seen, reading, std::memory_order_seq_cst)) seen = reading;
      WEIR_CRASH_POINT("recovery.viewing");
    }
    recover_view(*at, seen, dead);
    if (ch::owner_of(seen) != dead) continue;
    const std::uint64_t turn = ch::turn_of(seen);
    if (ch::phase_of(seen) == ch::phase::writing) {
      header_->blanks_made.store(1, std::memory_order_relaxed);
      WEIR_CRASH_POINT("recovery.slot.blanking");
      at->state.compare_exchange_strong(seen, ch::make_state(turn, ch::phase::blank), std::memory_order_seq_cst);
    } else if (ch::phase_of(seen) == ch::phase::reading) {
      // The item stays with the slot: a block that it was being taken with goes back to it, and one that it was being
      // copied to for a view is not needed.
      const std::uint32_t named =
          fixed_in_slot_ ? ch::kNoBlock : ch::meta_block(at->meta.load(std::memory_order_relaxed));
      for (std::uint32_t block = 0; block < blocks_.count(); ++block) {
        ch::block_entry& entry = blocks_.entry(block);
        std::uint64_t taken = ch::make_block_word(ch::block_phase::taken, dead);
        if (entry.word.load(std::memory_order_acquire) != taken) continue;
        const ring_place of = ring_.locate(entry.ticket.load(std::memory_order_relaxed));
        if (of.at != at || ch::turns_ahead(seen, of.turn) != 0) continue;
        const auto left = block == named ? ch::block_phase::queued : ch::block_phase::free;
        entry.word.compare_exchange_strong(taken, ch::make_block_word(left), std::memory_order_seq_cst);
        WEIR_CRASH_POINT("recovery.slot.block.freed");
      }
      WEIR_CRASH_POINT("recovery.slot.block");
      at->state.compare_exchange_strong(seen, ch::make_state(turn, ch::phase::orphan), std::memory_order_seq_cst);
    } else if (ch::phase_of(seen) == ch::phase::moving) {
      recover_moving(index, seen);
    }
    WEIR_CRASH_POINT("recovery.slot");
  }
}

void channel_core::recover_view(ch::slot& at, ch::slot_state seen, std::uint32_t dead) noexcept {
  std::uint64_t view = view_of(at);
  if (ch::phase_of_view(view) != ch::view_phase::viewing || ch::owner_of_view(view) != dead) return;
  // It had not given the slot back: then the item is still the slot's.
  const bool is_slots = ch::phase_of(seen) == ch::phase::reading && ch::owner_of(seen) == dead &&
                        (ch::turn_of(seen) & ch::kViewTurns) == ch::turn_of_view(view);
  const std::uint64_t orphan = ch::make_view(ch::turn_of_view(view), ch::bytes_of_view(view), ch::view_phase::orphan);
  at.view.compare_exchange_strong(view, is_slots ? 0 : orphan, std::memory_order_seq_cst);
  WEIR_CRASH_POINT("recovery.view");
}

/// A recovery died while it moved the item of this slot to the next one.
void channel_core::recover_moving(std::uint64_t index, ch::slot_state seen) {
  WEIR_CRASH_POINT("recovery.slot.moving");
  const ring_place next = ring_.locate(ch::turn_of(seen) * ring_.count() + index + 1);
  const bool moved = next.at->state.load(std::memory_order_acquire) == ch::make_state(next.turn, ch::phase::full);
  ring_.slot_at(index)->state.compare_exchange_strong(
      seen, ch::make_state(ch::turn_of(seen), moved ? ch::phase::blank : ch::phase::full), std::memory_order_seq_cst);
}

/// Moves full slots up over the blank ones behind them, so that these come to be the oldest and can be stepped over.
/// A slot that is being moved now was by somebody who died at it: only the lock's holder moves. It must be settled first,
/// since the item may lie in the next slot, too, and would be there twice if it went on from there.
void channel_core::close_gaps() {
  for (std::uint64_t index = 0; index < ring_.count(); ++index) {
    const ch::slot_state seen = ring_.slot_at(index)->state.load(std::memory_order_acquire);
    if (ch::phase_of(seen) == ch::phase::moving) recover_moving(index, seen);
  }
  const std::uint64_t head = ring_.settled_head();
  const std::uint64_t tail = ring_.settled_tail();
  if (tail - head > ring_.count()) return;  // no ring's: the slots are damaged
  for (std::uint64_t gap = head; gap != tail; ++gap) {
    const ring_place blank = ring_.locate(gap);
    if (blank.at->state.load(std::memory_order_acquire) != ch::make_state(blank.turn, ch::phase::blank)) continue;
    std::uint64_t to = gap;
    while (to != head && move_up(ring_.locate(to - 1))) --to;
  }
}

/// full(turn) to the next slot, which is blank. False: it is not full (a taker has come by, or a putter is not done).
bool channel_core::move_up(const ring_place& from) {
  const ring_place to = ring_.locate(from.ticket + 1);
  // Where an older item is still viewed the gap stays, until it is the oldest slot.
  if (view_of(*to.at) != 0) return false;
  ch::slot_state expected = ch::make_state(from.turn, ch::phase::full);
  WEIR_CRASH_POINT("recovery.gap.begin");
  if (!from.at->state.compare_exchange_strong(expected, ch::make_state(from.turn, ch::phase::moving, me_),
                                              std::memory_order_seq_cst)) {
    return false;
  }
  WEIR_CRASH_POINT("recovery.gap.moving");
  to.at->state.store(ch::make_state(to.turn, ch::phase::writing, me_), std::memory_order_seq_cst);
  WEIR_CRASH_POINT("recovery.gap.writing");
  std::memcpy(item_of(to), item_of(from), most_in_slot_);
  WEIR_CRASH_POINT("recovery.gap.copied");
  trace_item(trace::event_kind::moved, from.ticket);
  if (!fixed_in_slot_) {
    to.at->meta.store(from.at->meta.load(std::memory_order_relaxed), std::memory_order_relaxed);
    to.at->length.store(from.at->length.load(std::memory_order_relaxed), std::memory_order_relaxed);
  }
  ring_.publish(to);
  WEIR_CRASH_POINT("recovery.gap.moved");
  from.at->state.store(ch::make_state(from.turn, ch::phase::blank), std::memory_order_seq_cst);
  WEIR_CRASH_POINT("recovery.gap.closed");
  return true;
}

/// Which blocks hold items that slots name. A block that a dead process holds can only leave this set meanwhile, and its
/// word changes then; so the answer may be acted on by compare-and-swap.
std::vector<bool> channel_core::blocks_named_by_slots() const {
  std::vector<bool> named(blocks_.count(), false);
  if (fixed_in_slot_) return named;
  for (std::uint64_t index = 0; index < ring_.count(); ++index) {
    const ch::slot* const at = ring_.slot_at(index);
    ch::slot_state seen = at->state.load(std::memory_order_acquire);
    for (;;) {
      const ch::phase p = ch::phase_of(seen);
      if (p != ch::phase::full && p != ch::phase::reading && p != ch::phase::orphan && p != ch::phase::moving) break;
      const std::uint32_t block = ch::meta_block(at->meta.load(std::memory_order_acquire));
      const ch::slot_state again = at->state.load(std::memory_order_acquire);
      if (again == seen) {
        if (block < blocks_.count()) named[block] = true;
        break;
      }
      seen = again;
    }
  }
  return named;
}

void channel_core::recover_blocks(std::uint32_t dead) {
  const std::vector<bool> named = blocks_named_by_slots();
  for (std::uint32_t block = 0; block < blocks_.count(); ++block) {
    std::atomic<std::uint64_t>& word = blocks_.entry(block).word;
    std::uint64_t seen = word.load(std::memory_order_acquire);
    if (ch::owner_of_block(seen) != dead) continue;
    ch::block_phase left = ch::phase_of_block(seen);
    if (left == ch::block_phase::held) left = named[block] ? ch::block_phase::queued : ch::block_phase::free;
    if (left == ch::block_phase::taken) left = ch::block_phase::orphan;
    word.compare_exchange_strong(seen, ch::make_block_word(left), std::memory_order_seq_cst);
    WEIR_CRASH_POINT("recovery.block");
  }
}

bool channel_core::anyone_else_attached() {
  bool anyone = false;
  for (std::uint32_t entry = 1; entry < participants_high(); ++entry) {
    if (entry == me_ || participants_[entry].used.load(std::memory_order_acquire) == 0) continue;
    if (has_died(entry)) {
      recover(entry);
    } else {
      anyone = true;
    }
  }
  return anyone;
}

void channel_core::close_if_a_bound_process_ended() {
  if (is_closed()) return;
  for (const ch::binding_entry& binding : header_->bindings) {
    if (binding.used == 0 || !shm::is_dead(binding.who)) continue;
    if (const auto report = ch::how_it_ended(binding.process)) return close_for_end_of(binding, *report);
    // Its status is not known yet: whoever reaps it may still say.
    std::int64_t seen = 0;
    const std::int64_t now = monotonic_ns();
    if (bound_end_seen_ns_.compare_exchange_strong(seen, now, std::memory_order_relaxed)) return;
    if (now - seen > kStatusGraceNs) return close_for_end_of(binding, exit_report{});
  }
}

}  // namespace weir::detail
