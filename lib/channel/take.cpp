// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <climits>
#include <cstring>
#include <utility>

#include "channel/spin.hpp"
#include "channel/wait.hpp"
#include "weir/detail/crash_point.hpp"

namespace weir::detail {

template <class Read>
channel_core::attempt channel_core::take_once(Read&& read) {
  ring_place place;
  ch::ring::outcome outcome = ring_.claim_take(me_, place);
  if (outcome == ch::ring::outcome::none && is_closed()) {
    // Drained, unless something came before the closing that we saw, or a dead taker left something behind.
    if (!look_for_the_dead(/*even_if_just_looked=*/true)) return attempt::busy;
    if (header_->orphans.load(std::memory_order_acquire) != 0) return attempt::busy;
    outcome = ring_.claim_take(me_, place);
    if (outcome == ch::ring::outcome::none) throw_closed("take from channel");
  }
  if (outcome == ch::ring::outcome::claimed) {
    read(place);
    trace_item(trace::event_kind::take, place.ticket);
    return attempt::done;
  }
  if (outcome == ch::ring::outcome::damaged) throw_damaged_slot(place);
  return outcome == ch::ring::outcome::none ? attempt::not_yet : attempt::busy;
}

take_status channel_core::take_fixed(void* out, std::size_t bytes, deadline until, const std::stop_token& stop) {
  check_usable();
  const auto once = [&] {
    if (header_->orphans.load(std::memory_order_acquire) != 0) {
      taken_item orphan;
      if (take_orphan(orphan, hold::copy)) {
        if (orphan.bytes().size() != bytes)
          throw_corrupt("an item that was left behind has another size than all items");
        std::memcpy(out, orphan.bytes().data(), bytes);
        return attempt::done;
      }
    }
    return take_once([&](const ring_place& p) {
      std::memcpy(out, p.fixed_item(), bytes);
      empty_slot(p);
    });
  };
  return run_take(once, until, stop);
}

take_status channel_core::take(taken_item& out, deadline until, hold how, const std::stop_token& stop) {
  check_usable();
  const auto once = [&] {
    if (header_->orphans.load(std::memory_order_acquire) != 0 && take_orphan(out, how)) return attempt::done;
    return take_once([&](const ring_place& p) { read_slot(p, out, how); });
  };
  return run_take(once, until, stop);
}

template <class Once>
take_status channel_core::run_take(Once& once, deadline until, const std::stop_token& stop) {
  if (stop.stop_requested()) return take_status::stopped;
  attempt first = once();
  if (first == attempt::busy && until.is_at_once()) {
    look_for_the_dead();  // whoever is in the way may be one of them
    first = once();
  }
  if (first != attempt::done) {
    if (until.is_at_once()) return take_status::empty;
    // The channel is empty, so the next item will probably lie in the block that is free again since our last one.
    if (const std::uint32_t last = last_block_.load(std::memory_order_relaxed); last != ch::kNoBlock) {
      __builtin_prefetch(&blocks_.entry(last), 1);
    }
    if (!until.has_spun() && spin_to_take(once, stop)) return take_status::taken;
    switch (wait(ch::waits_for::item, until, &stop, once)) {
      case wait_result::done: break;
      case wait_result::timed_out: return take_status::empty;
      case wait_result::stopped: return take_status::stopped;
    }
  }
  return take_status::taken;
}

/// Gives a slot that we have claimed, and whose item we have, back to the putters.
void channel_core::empty_slot(const ring_place& p) noexcept {
  if (heavy_fences_reach_us_ && !rendezvous_) {
    release(p);
  } else {
    ring_.release_slot(p);
    if (rendezvous_) {
      wake_some(*not_full_, INT_MAX);
    } else {
      wake_putters_of(p);
    }
  }
}

/// Empties a slot that we have claimed into `out`.
void channel_core::read_slot(const ring_place& p, taken_item& out, hold how) {
  const std::uint64_t meta =
      fixed_in_slot_ ? ch::make_meta(ch::kNoBlock, 0, fixed_bytes_) : p.at->meta.load(std::memory_order_relaxed);
  const std::uint32_t block = ch::meta_block(meta);
  if (block != ch::kNoBlock) {
    const std::uint64_t bytes = p.at->length.load(std::memory_order_relaxed);
    if (block >= blocks_.count() || !can_hold(block, bytes)) {
      empty_slot(p);  // or it would be in everybody's way
      throw_corrupt(fmt::format("slot of ticket {}: an item of {} bytes is said to lie in block {}, of {}", p.ticket,
                                bytes, block, blocks_.count()));
    }
    ch::block_entry& entry = blocks_.entry(block);
    __builtin_prefetch(&entry, 1);
    // Before the entry is written, since this counts a handle, which would wait for the entry's line.
    hold_block(out, block, bytes, ch::meta_flags(meta));
    entry.ticket.store(p.ticket, std::memory_order_relaxed);
    WEIR_CRASH_POINT("block.ticketed");
    entry.word.store(ch::make_block_word(ch::block_phase::taken, me_), std::memory_order_release);
    WEIR_CRASH_POINT("block.taken");
    empty_slot(p);
    return;
  }
  const std::span<const std::byte> item(item_of(p), std::min(ch::meta_bytes(meta), most_in_slot_));
  if (how == hold::view && !fixed_in_slot_ && ch::meta_flags(meta) == 0) return view_slot(p, out, item.size());
  if (how == hold::view && move_to_block(p.ticket, out, item, ch::meta_flags(meta))) {
    empty_slot(p);
    return;
  }
  out.held_ = {};
  out.channel_ = this;
  std::memcpy(out.small_.data(), item.data(), item.size());
  out.small_bytes_ = static_cast<std::uint32_t>(item.size());
  out.ticket_ = p.ticket;
  out.has_references_ = (ch::meta_flags(meta) & ch::kHasReferences) != 0;
  empty_slot(p);
}

/// Lets `out` hold an item where it lies, in a slot that we have claimed, and lets putters have the slot if they need it.
void channel_core::view_slot(const ring_place& p, taken_item& out, std::size_t bytes) {
  hold_view(p, out, bytes);
  if (!rendezvous_ && heavy_fences_reach_us_) return let_view(p, bytes);
  // The putter of a rendezvous waits for its slot to be empty.
  lets_views_.store(true, std::memory_order_relaxed);
  WEIR_CRASH_POINT("view.marking");
  p.at->view.store(ch::make_view(p.turn, bytes, ch::view_phase::viewing, me_), std::memory_order_release);
  WEIR_CRASH_POINT("view.marked");
  empty_slot(p);
}

/// The slot's word for views says viewing(me), or will.
void channel_core::hold_view(const ring_place& p, taken_item& out, std::size_t bytes) {
  out.held_ = {};
  out.channel_ = this;
  out.held_.lie_in(*this, p, bytes);
  out.has_references_ = false;
}

/// Copies an item into a block that `out` then holds as taken. False if there is no block to be had.
bool channel_core::move_to_block(std::uint64_t ticket, taken_item& out, std::span<const std::byte> item,
                                 std::uint64_t flags) {
  const std::optional<std::uint32_t> block = blocks_.try_claim(me_);
  if (!block) return false;
  try {
    blocks_.reserve(*block, item.size());
  } catch (const error&) {
    free_block(*block);
    return false;
  }
  std::memcpy(blocks_.data(*block), item.data(), item.size());
  ch::block_entry& entry = blocks_.entry(*block);
  entry.bytes.store(item.size(), std::memory_order_relaxed);
  entry.flags.store(flags, std::memory_order_relaxed);
  entry.ticket.store(ticket, std::memory_order_relaxed);
  WEIR_CRASH_POINT("view.copied");
  entry.word.store(ch::make_block_word(ch::block_phase::taken, me_), std::memory_order_release);
  WEIR_CRASH_POINT("view.taken");
  hold_block(out, *block, item.size(), flags);
  return true;
}

bool channel_core::can_hold(std::uint32_t block, std::size_t bytes) const noexcept {
  // No more than an item before: that one's block was looked at. The entry is another CPU's, so looking takes long.
  if (bytes <= most_seen_.load(std::memory_order_relaxed)) return true;
  constexpr std::size_t kLarge = std::size_t{1} << 20U;  // so large that it pays to ask for the memory of the file
  if (bytes > blocks_.stride() || bytes > blocks_.entry(block).reserved.load(std::memory_order_relaxed)) return false;
  if (bytes > kLarge && segment_.memory() < bytes) return false;
  most_seen_.store(bytes, std::memory_order_relaxed);
  return true;
}

void channel_core::throw_damaged_slot(const ring_place& p) const {
  throw_corrupt(fmt::format("slot of ticket {}: its state {:#x} cannot be", p.ticket,
                            p.at->state.load(std::memory_order_relaxed)));
}

void channel_core::hold_block(taken_item& out, std::uint32_t block, std::size_t bytes, std::uint64_t flags) {
  out.held_ = {};
  out.channel_ = this;
  out.held_.channel_ = this;
  out.held_.keeps_ = shared_from_this();
  out.held_.slot_ = nullptr;
  out.held_.block_ = block;
  last_block_.store(block, std::memory_order_relaxed);
  out.held_.bytes_ = {blocks_.data(block), bytes};
  out.has_references_ = (flags & ch::kHasReferences) != 0;
}

bool channel_core::take_orphan(taken_item& out, hold how) {
  ring_place place;
  {
    const locked lock(*this);
    const std::vector<orphan_place> orphans = orphans_in_order();
    if (orphans.empty()) {
      recount();
      return false;
    }
    const orphan_place& oldest = orphans.front();
    trace_item(trace::event_kind::take, oldest.ticket);
    WEIR_CRASH_POINT("orphan.taking");
    if (oldest.block != ch::kNoBlock) {
      blocks_.entry(oldest.block)
          .word.store(ch::make_block_word(ch::block_phase::taken, me_), std::memory_order_release);
      WEIR_CRASH_POINT("orphan.block.taken");
      recount();
      const ch::block_entry& entry = blocks_.entry(oldest.block);
      const std::size_t bytes = entry.bytes.load(std::memory_order_relaxed);
      if (!can_hold(oldest.block, bytes)) {
        free_block(oldest.block);
        throw_corrupt(fmt::format("block {}: an item of {} bytes was left behind in it", oldest.block, bytes));
      }
      hold_block(out, oldest.block, bytes, entry.flags.load(std::memory_order_relaxed));
      return true;
    }
    place = ring_.locate(oldest.ticket);
    if (oldest.view != 0) {
      const std::size_t bytes = std::min(ch::bytes_of_view(oldest.view), most_in_slot_);
      place.at->view.store(ch::make_view(place.turn, bytes, ch::view_phase::viewing, me_), std::memory_order_release);
      WEIR_CRASH_POINT("orphan.view.taken");
      recount();
      hold_view(place, out, bytes);
      return true;
    }
    place.at->state.store(ch::make_state(place.turn, ch::phase::reading, me_), std::memory_order_seq_cst);
    WEIR_CRASH_POINT("orphan.slot.taken");
    recount();
  }
  read_slot(place, out, how);
  return true;
}

void channel_core::free_block(std::uint32_t block) noexcept {
  blocks_.release(block, me_);
  if (heavy_fences_reach_us_) {
    if (may_be_slept_on(header_->block_freed) && look_again(header_->block_freed, calm_frees_) != 0) {
      wake_some(header_->block_freed, 1);
    }
  } else {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    wake_some(header_->block_freed, 1);
  }
}

void channel_core::give_back(taken_item& item) {
  check_usable();
  if (!item.held_) {
    taken_item moved;
    const std::uint64_t flags = item.has_references_ ? ch::kHasReferences : 0;
    if (!move_to_block(item.ticket_, moved, item.bytes(), flags)) {
      throw no_space("weir: give an item back to channel \"" + std::string(display_name()) + "\": no block is free");
    }
    item = std::move(moved);
  }
  held_item& held = item.held_;
  {
    const locked lock(*this);
    WEIR_CRASH_POINT("given_back.begin");
    if (held.slot_ == nullptr) {
      blocks_.entry(held.block_).word.store(ch::make_block_word(ch::block_phase::orphan), std::memory_order_release);
    } else {
      ring_.end_view(*held.slot_, held.turn_, me_);
      WEIR_CRASH_POINT("given_back.ended");
      held.slot_->view.store(ch::make_view(held.turn_, held.bytes_.size(), ch::view_phase::orphan),
                             std::memory_order_release);
    }
    WEIR_CRASH_POINT("given_back.marked");
    held.channel_ = nullptr;
    item.channel_ = nullptr;
    recount();
  }
  wake_some(header_->not_empty, 1);
}

void channel_core::finish(held_item& held) noexcept {
  if (forked_.load(std::memory_order_relaxed)) return;
  if (held.slot_ == nullptr) return free_block(held.block_);
  end_view_without_handle(*held.slot_, held.turn_);
}

void held_item::finish() noexcept {
  static_cast<channel_core*>(channel_)->finish(*this);
  keeps_.reset();
}

taken_item& taken_item::operator=(taken_item&& other) noexcept {
  if (this == &other) return *this;
  channel_ = std::exchange(other.channel_, nullptr);
  held_ = std::move(other.held_);
  small_bytes_ = std::exchange(other.small_bytes_, 0);
  has_references_ = std::exchange(other.has_references_, false);
  ticket_ = other.ticket_;
  if (small_bytes_ != 0) std::memcpy(small_.data(), other.small_.data(), small_bytes_);
  return *this;
}

void taken_item::give_back() {
  if (channel_ == nullptr) return;
  const core_handle keep = channel_->shared_from_this();
  channel_->give_back(*this);
}

}  // namespace weir::detail
