// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "weir/detail/crash_point.hpp"
#include "weir/detail/slot_layout.hpp"

namespace weir::channels {

/// The slots of one channel as this process sees them: who may write or read which, and nothing else. No waiting, no
/// system call. See slot_layout.hpp for the states.
class ring {
 public:
  enum class outcome {
    claimed,
    none,  ///< put: full; take: empty
    busy,  ///< the slot that comes next is being written (take) or read (put) by somebody: neither full nor empty yet
    damaged,  ///< that slot's state cannot be
    viewed,   ///< put: the slot that comes next would do for an item in a block, but an older item is viewed there
  };
  /// What a put needs: an item that is to lie in the slot, one in which no older item is viewed.
  enum class needs { any_slot, unviewed_slot };

  /// A slot that this process has claimed, or may look at.
  struct place {
    std::uint64_t ticket = 0;
    std::uint64_t turn = 0;
    slot* at = nullptr;
    /// The item, in channels whose items all lie in the slots; and in all others, if it lies there.
    [[nodiscard]] std::byte* fixed_item() const noexcept { return reinterpret_cast<std::byte*>(at) + kFixedItem; }
    [[nodiscard]] std::byte* piece() const noexcept { return reinterpret_cast<std::byte*>(at) + kPiece; }
  };

  /// Where the ring lies in this process. The counters and the mark are those of the channel's header.
  struct parts {
    std::byte* slots = nullptr;
    std::uint64_t slot_count = 1;
    std::uint64_t slot_bytes = kLine;
    std::atomic<std::uint64_t>* tail = nullptr;
    std::atomic<std::uint64_t>* head = nullptr;
    std::atomic<std::uint32_t>* blanks_made = nullptr;
  };

  ring() = default;
  explicit ring(const parts& from) noexcept
      : tail_(from.tail),
        head_(from.head),
        blanks_made_(from.blanks_made),
        slots_(from.slots),
        count_(from.slot_count),
        slot_bytes_(from.slot_bytes),
        order_(from.slot_count, from.slot_bytes),
        shift_(std::has_single_bit(count_) ? static_cast<unsigned>(std::countr_zero(count_)) : kNoShift),
        inverse_(count_ > 1 ? UINT64_MAX / count_ : 0) {}

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

  [[nodiscard]] place locate(std::uint64_t ticket) const noexcept {
    place p;
    p.ticket = ticket;
    std::uint64_t index = 0;
    if (shift_ != kNoShift) {
      p.turn = ticket >> shift_;
      index = ticket & (count_ - 1);
    } else {
      // A division by multiplication: with the inverse rounded down the quotient is right or one too low.
      p.turn = static_cast<std::uint64_t>((wide{ticket} * inverse_) >> 64U);
      index = ticket - p.turn * count_;
      if (index >= count_) {
        index -= count_;
        ++p.turn;
      }
    }
    p.at = slot_at(index);
    return p;
  }
  [[nodiscard]] slot* slot_at(std::uint64_t index) const noexcept {
    return reinterpret_cast<slot*>(slots_ + order_(index) * slot_bytes_);
  }

  /// No such phase; or an owner where there is none, which every compare-and-swap from that state would fail at.
  [[nodiscard]] static bool is_damaged(slot_state seen) noexcept {
    const phase p = phase_of(seen);
    const bool is_owned = p == phase::writing || p == phase::reading || p == phase::moving || p == phase::viewing;
    return p > phase::viewing || (!is_owned && owner_of(seen) != 0);
  }

  /// Where the counters say that the next put and the next take will be.
  [[nodiscard]] place next_put() const noexcept { return locate(tail_->load(std::memory_order_relaxed)); }
  [[nodiscard]] place next_take() const noexcept { return locate(head_->load(std::memory_order_relaxed)); }

  /// claim_put() where the counter says, which is nearly always right. False: not so, or the channel is full. `Viewable`:
  /// the item is to lie in the slot, and the slot may be viewed.
  template <bool Viewable>
  bool claim_next_put(std::uint32_t me, place& out) noexcept {
    out = next_put();
    __builtin_prefetch(out.at, 1);
    if (out.at->state.load(std::memory_order_acquire) != make_state(out.turn, phase::empty)) return false;
    if (Viewable && out.at->view.load(std::memory_order_acquire) != 0) return false;
    return claim_put_at(out, me);
  }

  /// empty(turn) -> writing(turn, me). False: somebody else was there before.
  bool claim_put_at(const place& p, std::uint32_t me) noexcept {
    slot_state expected = make_state(p.turn, phase::empty);
    WEIR_CRASH_POINT("ring.put.claiming");
    if (!p.at->state.compare_exchange_strong(expected, make_state(p.turn, phase::writing, me),
                                             std::memory_order_seq_cst)) {  // pairs with release_slot()
      return false;
    }
    WEIR_CRASH_POINT("ring.put.claimed");
    move_on(*tail_, p.ticket + 1);
    WEIR_CRASH_POINT("ring.put.advanced");
    return true;
  }

  /// claim_take() where the counter says. False: not so, or the channel is empty.
  bool claim_next_take(std::uint32_t me, place& out) noexcept {
    out = next_take();
    __builtin_prefetch(out.at, 1);
    return is_full(out) && claim_take_at(out, me);
  }

  /// An item lies there, for the take of that place's ticket.
  [[nodiscard]] bool is_full(const place& p) const noexcept {
    return p.at->state.load(std::memory_order_acquire) == make_state(p.turn, phase::full);  // pairs with publish()
  }
  /// full(turn) -> reading(turn, me). False: somebody else was there before.
  bool claim_take_at(const place& p, std::uint32_t me) noexcept {
    slot_state expected = make_state(p.turn, phase::full);
    WEIR_CRASH_POINT("ring.take.claiming");
    if (!p.at->state.compare_exchange_strong(expected, make_state(p.turn, phase::reading, me),
                                             std::memory_order_seq_cst)) {  // pairs with publish()
      return false;
    }
    WEIR_CRASH_POINT("ring.take.claimed");
    move_on(*head_, p.ticket + 1);
    WEIR_CRASH_POINT("ring.take.advanced");
    return true;
  }

  /// How many items lie right behind that of `p`, up to `most`, blanks between them not counted: they were put before it,
  /// though they come after it.
  [[nodiscard]] std::size_t full_after(const place& p, std::size_t most) const noexcept {
    std::size_t found = 0;
    for (std::uint64_t ticket = p.ticket + 1; found < most && ticket < p.ticket + count_; ++ticket) {
      const place next = locate(ticket);
      const slot_state seen = next.at->state.load(std::memory_order_acquire);
      if (seen == make_state(next.turn, phase::blank)) continue;
      if (seen != make_state(next.turn, phase::full)) break;
      ++found;
    }
    return found;
  }
  /// The same for slots that putters may have, and could before that of `p`: given back, blank, or viewed only.
  [[nodiscard]] std::size_t room_after(const place& p, std::size_t most) const noexcept {
    std::size_t found = 0;
    for (std::uint64_t ticket = p.ticket + 1; found < most && ticket < p.ticket + count_; ++ticket) {
      const place next = locate(ticket);
      const slot_state seen = next.at->state.load(std::memory_order_acquire);
      const bool is_free = seen == make_state(next.turn + 1, phase::empty);
      const bool may_be_had =
          turn_of(seen) == next.turn && (phase_of(seen) == phase::viewing || phase_of(seen) == phase::blank);
      if (!is_free && !may_be_had) break;
      ++found;
    }
    return found;
  }

  /// Claims the slot for the next put: empty(turn) -> writing(turn, me). Where all items have one size and lie in the slots,
  /// which then have no word for views, any_slot will do.
  outcome claim_put(std::uint32_t me, place& out, needs what) noexcept {
    std::uint64_t ticket = tail_->load(std::memory_order_relaxed);
    lag lagging;
    for (;;) {
      const place p = locate(ticket);
      slot_state seen = p.at->state.load(std::memory_order_acquire);  // pairs with the release in release_slot()
      const std::int64_t ahead = turns_ahead(seen, p.turn);
      if (is_damaged(seen) || !lagging.add(ahead)) return out = p, outcome::damaged;
      if (ahead == 0 && phase_of(seen) == phase::empty) {
        if (what == needs::unviewed_slot && p.at->view.load(std::memory_order_acquire) != 0) return outcome::viewed;
        if (!claim_put_at(p, me)) continue;
        out = p;
        return outcome::claimed;
      }
      if (ahead >= 0) {  // this ticket was claimed before: the tail lags
        ticket = next_after(ticket, ahead, phase_of(seen) != phase::empty);
        move_on(*tail_, ticket);
        WEIR_CRASH_POINT("ring.put.caught_up");
        continue;
      }
      // The item of a turn ago still lies here. It is the oldest of all, so a blank one can go at once.
      if (phase_of(seen) == phase::blank) {
        if (ahead != -1) return out = p, outcome::damaged;
        skip_blank({ticket - count_, p.turn - 1, p.at});
        continue;
      }
      if (phase_of(seen) == phase::viewing) {
        if (what == needs::unviewed_slot) return outcome::viewed;
        WEIR_CRASH_POINT("ring.put.detaching");
        p.at->state.compare_exchange_strong(seen, make_state(p.turn, phase::empty), std::memory_order_seq_cst);
        WEIR_CRASH_POINT("ring.put.detached");
        continue;
      }
      return phase_of(seen) == phase::full ? outcome::none : outcome::busy;
    }
  }

  /// writing(turn, me) -> full(turn): the item is put. A full barrier, so that sleepers are looked for afterwards.
  void publish(const place& p) noexcept {
    WEIR_CRASH_POINT("ring.put.written");
    p.at->state.exchange(make_state(p.turn, phase::full), std::memory_order_seq_cst);  // pairs with claim_take()
    WEIR_CRASH_POINT("ring.put.published");
  }

  /// The same without a fence, for where heavy fences reach: who looks for sleepers then finds out whether one is needed.
  void publish_unfenced(const place& p) noexcept {
    WEIR_CRASH_POINT("ring.put.written");
    p.at->state.store(make_state(p.turn, phase::full), std::memory_order_release);  // pairs with claim_take()
    WEIR_CRASH_POINT("ring.put.published");
  }

  /// writing(turn, me) -> blank(turn): the put did not happen after all.
  void abandon(const place& p) noexcept {
    WEIR_CRASH_POINT("ring.put.abandoning");
    blanks_made_->store(1, std::memory_order_relaxed);
    WEIR_CRASH_POINT("ring.put.blanking");
    p.at->state.exchange(make_state(p.turn, phase::blank), std::memory_order_seq_cst);
    WEIR_CRASH_POINT("ring.put.abandoned");
  }

  /// full(turn) -> blank(turn), for a rendezvous that nobody came to. False: somebody has claimed it.
  bool retract(const place& p) noexcept {
    blanks_made_->store(1, std::memory_order_relaxed);
    slot_state expected = make_state(p.turn, phase::full);
    WEIR_CRASH_POINT("ring.put.retracting");
    const bool blank =
        p.at->state.compare_exchange_strong(expected, make_state(p.turn, phase::blank), std::memory_order_seq_cst);
    WEIR_CRASH_POINT("ring.put.retracted");
    return blank;
  }

  /// Claims the oldest item: full(turn) -> reading(turn, me). Steps over blanks.
  outcome claim_take(std::uint32_t me, place& out) noexcept {
    std::uint64_t ticket = head_->load(std::memory_order_relaxed);
    lag lagging;
    for (;;) {
      const place p = locate(ticket);
      // To be written at once when it is full: a taker that spins then has the line when the item comes with it.
      __builtin_prefetch(p.at, 1);
      slot_state seen = p.at->state.load(std::memory_order_acquire);  // pairs with publish()
      const std::int64_t ahead = turns_ahead(seen, p.turn);
      if (is_damaged(seen) || !lagging.add(ahead)) return out = p, outcome::damaged;
      if (ahead == 0 && phase_of(seen) == phase::full) {
        if (!claim_take_at(p, me)) continue;
        out = p;
        return outcome::claimed;
      }
      if (ahead == 0 && phase_of(seen) == phase::blank) {
        if (skip_blank(p)) ++ticket;
        continue;
      }
      if (ahead < 0 || (ahead == 0 && phase_of(seen) == phase::empty)) return outcome::none;
      if (ahead == 0 && (phase_of(seen) == phase::writing || phase_of(seen) == phase::moving)) return outcome::busy;
      // Claimed by a taker before, if it is of this turn; else the head lags by whole turns.
      ticket = next_after(ticket, ahead, is_claimed_by_taker(phase_of(seen)));
      move_on(*head_, ticket);
      WEIR_CRASH_POINT("ring.take.caught_up");
    }
  }

  /// blank(turn) -> empty(turn + 1) for the oldest slot. False: it is not blank (any more).
  bool skip_blank(const place& p) noexcept {
    slot_state expected = make_state(p.turn, phase::blank);
    WEIR_CRASH_POINT("ring.blank.skipping");
    if (!p.at->state.compare_exchange_strong(expected, make_state(p.turn + 1, phase::empty),
                                             std::memory_order_seq_cst)) {
      return false;
    }
    WEIR_CRASH_POINT("ring.blank.skipped");
    move_on(*head_, p.ticket + 1);
    WEIR_CRASH_POINT("ring.blank.advanced");
    return true;
  }

  /// reading(turn, me) -> empty(turn + 1): the item is out of the slot. A full barrier, as publish().
  void release_slot(const place& p) noexcept {
    WEIR_CRASH_POINT("ring.take.copied");
    p.at->state.exchange(make_state(p.turn + 1, phase::empty), std::memory_order_seq_cst);  // pairs with claim_put()
    WEIR_CRASH_POINT("ring.take.released");
  }

  /// The same without a fence, as publish_unfenced().
  void release_slot_unfenced(const place& p) noexcept {
    WEIR_CRASH_POINT("ring.take.copied");
    p.at->state.store(make_state(p.turn + 1, phase::empty), std::memory_order_release);  // pairs with claim_put()
    WEIR_CRASH_POINT("ring.take.released");
  }

  /// reading(turn, me) -> viewing(turn, me): the item is read where it lies, and putters may have the slot.
  void let_view(const place& p, std::uint32_t me) noexcept {
    p.at->state.store(make_state(p.turn, phase::viewing, me), std::memory_order_release);  // pairs with claim_put()
    WEIR_CRASH_POINT("ring.take.viewing");
  }
  /// viewing(turn, me) -> empty(turn + 1), unless a putter has done that.
  void end_view(slot& at, std::uint64_t turn, std::uint32_t me) noexcept {
    slot_state expected = make_state(turn, phase::viewing, me);
    WEIR_CRASH_POINT("ring.view.ending");
    at.state.compare_exchange_strong(expected, make_state(turn + 1, phase::empty), std::memory_order_seq_cst);
  }

  /// The ticket of the next put, and of the next take, found by looking at the slots.
  [[nodiscard]] std::uint64_t settled_tail() const noexcept {
    std::uint64_t ticket = tail_->load(std::memory_order_relaxed);
    for (lag lagging;;) {
      const place p = locate(ticket);
      const slot_state seen = p.at->state.load(std::memory_order_acquire);
      const std::int64_t ahead = turns_ahead(seen, p.turn);
      if (ahead < 0 || (ahead == 0 && phase_of(seen) == phase::empty) || !lagging.add(ahead)) return ticket;
      ticket = next_after(ticket, ahead, phase_of(seen) != phase::empty);
    }
  }
  /// Where the slots' turns are those of no ring, any ticket, and `damaged` is set.
  [[nodiscard]] std::uint64_t settled_head(bool* damaged = nullptr) const noexcept {
    std::uint64_t ticket = head_->load(std::memory_order_relaxed);
    for (lag lagging;;) {
      const place p = locate(ticket);
      const slot_state seen = p.at->state.load(std::memory_order_acquire);
      const std::int64_t ahead = turns_ahead(seen, p.turn);
      const bool claimed = is_claimed_by_taker(phase_of(seen));
      if (ahead < 0 || (ahead == 0 && !claimed)) return ticket;
      if (!lagging.add(ahead)) {
        if (damaged != nullptr) *damaged = true;
        return ticket;
      }
      ticket = next_after(ticket, ahead, claimed);
    }
  }

 private:
  /// How far a counter lags, added up on the way to the slot that it should name. In a ring that is little, and once: turns
  /// that lead round in a circle, for ever, come to this after two rounds at most.
  class lag {
   public:
    [[nodiscard]] bool add(std::int64_t turns) noexcept {
      if (turns > 0) turns_ += turns;
      return turns_ <= kMost;
    }

   private:
    static constexpr std::int64_t kMost = std::int64_t{1} << 46U;
    std::int64_t turns_ = 0;
  };

  __extension__ using wide = unsigned __int128;
  static constexpr unsigned kNoShift = ~0U;

  /// `counter` is a hint that may only be too low. A plain store suffices, and may set it back a little when it races.
  static void move_on(std::atomic<std::uint64_t>& counter, std::uint64_t to) noexcept {
    if (static_cast<std::int64_t>(to - counter.load(std::memory_order_relaxed)) > 0) {
      counter.store(to, std::memory_order_relaxed);
    }
  }

  /// A ticket known to be no more than the true one, given that the slot of `ticket` is `ahead` turns ahead, and whether
  /// its ticket of that turn has been claimed as well.
  [[nodiscard]] std::uint64_t next_after(std::uint64_t ticket, std::int64_t ahead, bool claimed) const noexcept {
    const std::uint64_t whole_turns = static_cast<std::uint64_t>(ahead) - (claimed ? 0 : 1);
    return ticket + whole_turns * count_ + 1;
  }

  std::atomic<std::uint64_t>* tail_ = nullptr;
  std::atomic<std::uint64_t>* head_ = nullptr;
  std::atomic<std::uint32_t>* blanks_made_ = nullptr;
  std::byte* slots_ = nullptr;
  std::uint64_t count_ = 1;
  std::uint64_t slot_bytes_ = kLine;
  slot_order order_;
  unsigned shift_ = 0;
  std::uint64_t inverse_ = 0;  // floor((2^64 - 1) / count)
};

}  // namespace weir::channels
