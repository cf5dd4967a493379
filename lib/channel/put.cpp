// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <chrono>
#include <climits>
#include <cstring>
#include <utility>

#include "channel/spin.hpp"
#include "channel/wait.hpp"
#include "segment/space.hpp"
#include "weir/detail/crash_point.hpp"

namespace weir::detail {
namespace {

/// How long a try_put to a rendezvous leaves its item for a taker that is waiting but has yet to wake.
constexpr std::chrono::milliseconds kWakeUpGrace{100};

void gather(std::byte* to, const payload& item) noexcept {
  for (const std::span<const std::byte> part : item.parts) {
    if (part.empty()) continue;
    std::memcpy(to, part.data(), part.size());
    to += part.size();
  }
}

void name_block(const ring_place& p, std::uint32_t block, std::uint64_t flags, std::uint64_t bytes) noexcept {
  p.at->meta.store(ch::make_meta(block, flags, 0), std::memory_order_relaxed);
  WEIR_CRASH_POINT("ring.put.block.named");
  p.at->length.store(bytes, std::memory_order_relaxed);
}

std::uint64_t flags_of(const payload& item) noexcept { return item.has_references ? ch::kHasReferences : 0; }

}  // namespace

template <class Write>
channel_core::attempt channel_core::put_once(Write&& write, wake when, ring_place& claimed, needs what) {
  check_open("put into channel");
  switch (ring_.claim_put(me_, claimed, what)) {
    case ch::ring::outcome::claimed: break;
    case ch::ring::outcome::none: return attempt::not_yet;
    case ch::ring::outcome::busy: return attempt::busy;
    case ch::ring::outcome::damaged: throw_damaged_slot(claimed);
    case ch::ring::outcome::viewed:
      claimed = {};
      return attempt::done;  // with that result: the caller tries something else
  }
  if (is_closed()) {  // meanwhile: a taker may already have found nothing and gone, so the item must not go in
    ring_.abandon(claimed);
    wake_some(header_->not_empty, INT_MAX);
    throw_closed("put into channel");
  }
  write(claimed);
  trace_item(trace::event_kind::put, claimed.ticket);  // before the item can be taken
  publish(claimed, when);
  return attempt::done;
}

void channel_core::publish(const ring_place& p, wake when) noexcept {
  if (heavy_fences_reach_us_ && !rendezvous_) {
    ring_.publish_unfenced(p);
    if (when == wake::now && may_be_slept_on(*not_empty_)) wake_takers_of(p);
  } else {
    ring_.publish(p);
    if (when == wake::now || rendezvous_) wake_takers_of(p);
  }
}

template <class Write>
channel_core::put_result channel_core::put_claimed(deadline until, wake when, Write&& write, needs what, offer* left) {
  if (rendezvous_ && until.is_at_once() && left == nullptr) {
    check_open("put into channel");
    if (ch::sleepers_of(header_->not_empty.word.load(std::memory_order_seq_cst)) == 0) return put_result::full;
  }
  ring_place place;
  const auto once = [&] { return put_once(write, when, place, what); };
  attempt first = once();
  if (first == attempt::busy && until.is_at_once()) {
    look_for_the_dead();  // whoever is in the way may be one of them
    first = once();
  }
  if (first != attempt::done) {
    if (until.is_at_once()) return put_result::full;
    if (when == wake::later) wake_takers(INT_MAX);  // they make the room that we wait for
    if (!spin_to_put(once) && wait(ch::waits_for::room, until, nullptr, once) != wait_result::done) {
      return put_result::full;
    }
  }
  if (place.at == nullptr) return put_result::viewed;
  if (!rendezvous_) return put_result::done;
  if (left != nullptr) {
    left->place = place;
    return put_result::done;
  }
  const bool picked_up = wait_for_pickup(place, until.is_at_once() ? deadline::after(kWakeUpGrace) : until);
  return picked_up ? put_result::done : put_result::full;
}

/// Waits until a taker has the item. False: none came; the item is out again.
bool channel_core::wait_for_pickup(const ring_place& p, deadline until) {
  bool closed = false;
  const auto picked_up = [&] {
    if (ch::turns_ahead(p.at->state.load(std::memory_order_seq_cst), p.turn) > 0) return attempt::done;
    if (is_closed() && ring_.retract(p)) {
      closed = true;
      return attempt::done;
    }
    return attempt::not_yet;
  };
  for (;;) {
    const wait_result result = wait(ch::waits_for::pickup, until, nullptr, picked_up);
    if (closed) throw_closed("put into channel");
    if (result == wait_result::done) return true;
    if (ring_.retract(p)) {
      wake_some(header_->not_full, INT_MAX);  // the next putter can step over the blank
      return false;
    }
    if (withdraw_orphan(p)) return false;
    until = deadline::never();  // a taker has claimed it: it takes it, or dies and leaves an orphan
  }
}

void channel_core::check_item_bytes(std::size_t bytes) const {
  if (bytes <= constants_.max_item_bytes) return;
  throw item_too_large(fmt::format("weir: put into channel \"{}\": the item has {} bytes, the channel takes at most {}",
                                   display_name(), bytes, constants_.max_item_bytes));
}

bool channel_core::put_fixed(const void* item, std::size_t bytes, deadline until, wake when) {
  check_usable();
  if (!fixed_in_slot_) {
    const std::span<const std::byte> part(static_cast<const std::byte*>(item), bytes);
    return put(payload{{&part, 1}, false}, until, when);
  }
  check_item_bytes(bytes);
  const auto write = [&](const ring_place& p) { std::memcpy(p.fixed_item(), item, bytes); };
  return put_claimed(until, when, write, needs::any_slot) == put_result::done;
}

bool channel_core::put(const payload& item, deadline until, wake when, offer* left) {
  check_usable();
  std::size_t bytes = 0;
  for (const auto part : item.parts) bytes += part.size();
  check_item_bytes(bytes);
  constexpr int kTries =
      8;  // others may come first; and a damaged slot may say for ever that it is viewed, and by nobody
  for (int tries = 0; bytes <= most_in_slot_; ++tries) {
    const auto write = [&](const ring_place& p) {
      gather(item_of(p), item);
      WEIR_CRASH_POINT("ring.put.copied");
      if (fixed_in_slot_) return;
      p.at->meta.store(ch::make_meta(ch::kNoBlock, flags_of(item), bytes), std::memory_order_relaxed);
    };
    const needs what = fixed_in_slot_ ? needs::any_slot : needs::unviewed_slot;
    const put_result result = put_claimed(until, when, write, what, left);
    if (result != put_result::viewed) return result == put_result::done;
    wake_some(header_->not_full, 1);  // somebody else may do what we were woken for, until we have a block
    if (until.is_at_once() || tries == kTries || !view_goes_soon()) break;
  }
  return put_in_block(item, bytes, until, when, left);
}

bool channel_core::put_in_block(const payload& item, std::size_t bytes, deadline until, wake when, offer* left) {
  check_open("put into channel");
  if (until.is_at_once() && !rendezvous_ && ring_.settled_tail() - ring_.settled_head() >= ring_.count()) {
    look_for_the_dead();
    if (ring_.settled_tail() - ring_.settled_head() >= ring_.count()) return false;  // before the copy, not after it
  }
  const std::uint32_t block = claim_block(until);
  if (block == ch::kNoBlock) return false;
  loaned_block held;
  held.core_ = shared_from_this();
  held.block_ = block;
  blocks_.reserve(block, bytes);
  gather(blocks_.data(block), item);
  WEIR_CRASH_POINT("block.copied");
  ch::block_entry& entry = blocks_.entry(block);
  entry.bytes.store(bytes, std::memory_order_relaxed);
  entry.flags.store(flags_of(item), std::memory_order_relaxed);
  WEIR_CRASH_POINT("block.filled");
  const auto write = [&](const ring_place& p) { name_block(p, block, flags_of(item), bytes); };
  const bool done = put_claimed(until, when, write, needs::any_slot, left) == put_result::done;
  if (done && left != nullptr && left->place.at != nullptr) {
    left->block = std::move(held);
  } else if (done) {
    held.core_.reset();  // the slot holds it now
  }
  return done;
}

/// False: the item in the slot that comes next is viewed, and goes on being viewed.
bool channel_core::view_goes_soon() noexcept {
  constexpr int kRounds = 200;  // some microseconds: what a block would cost
  const ring_place p = ring_.next_put();
  keep_distance(p);
  for (int round = 0; round < kRounds; ++round) {
    if (p.at->view.load(std::memory_order_relaxed) == 0) return true;
    sync::relax();
  }
  return false;
}

std::uint32_t channel_core::claim_block(deadline until) {
  std::optional<std::uint32_t> block = blocks_.try_claim(me_);
  if (!block && !until.is_at_once()) {
    wait(ch::waits_for::block, until, nullptr, [&] {
      check_open("put into channel");
      block = blocks_.try_claim(me_);
      return block ? attempt::done : attempt::not_yet;
    });
  }
  return block.value_or(ch::kNoBlock);
}

loaned_block channel_core::loan(std::size_t bytes) {
  check_usable();
  check_item_bytes(bytes);
  check_open("loan from channel");
  loaned_block loaned;
  loaned.block_ = claim_block(deadline::never());
  loaned.core_ = shared_from_this();
  blocks_.reserve(loaned.block_, bytes);
  ch::block_entry& entry = blocks_.entry(loaned.block_);
  entry.bytes.store(bytes, std::memory_order_relaxed);
  entry.flags.store(0, std::memory_order_relaxed);
  WEIR_CRASH_POINT("loan.made");
  loaned.bytes_ = {blocks_.data(loaned.block_), bytes};
  return loaned;
}

bool channel_core::put(loaned_block& item, std::size_t bytes, deadline until) {
  check_usable();
  if (item.core_.get() != this || bytes > item.bytes_.size()) {
    throw invalid_argument(fmt::format("weir: put a loan into channel \"{}\": the loan is {}", display_name(),
                                       !item.core_                ? "empty"
                                       : item.core_.get() != this ? "another channel's"
                                                                  : "smaller than what is to be put"));
  }
  // What was written in the loan may have driven these out of the caches: ask for all before the first is needed.
  __builtin_prefetch(ring_.next_put().at, 1);
  __builtin_prefetch(&header_->closed);
  __builtin_prefetch(&header_->not_empty);
  // The entry was filled in by loan(): what was written since may have driven it out of the caches too.
  if (bytes != item.bytes_.size()) blocks_.entry(item.block_).bytes.store(bytes, std::memory_order_relaxed);
  const auto write = [&](const ring_place& p) { name_block(p, item.block_, 0, bytes); };
  const bool done = put_claimed(until, wake::now, write, needs::any_slot) == put_result::done;
  if (done) {
    item.core_.reset();
    item.bytes_ = {};
  }
  return done;
}

void channel_core::return_loan(std::uint32_t block) noexcept {
  if (!forked_.load(std::memory_order_relaxed)) free_block(block);
}

void channel_core::wake_takers(std::size_t items) noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);  // one for all that was published without (channels::event)
  // Others' items behind these may have been put before, as in wake_takers_of().
  wake_some(header_->not_empty, is_closed() ? INT_MAX : std::max(items, size()));
}

loaned_block::loaned_block(loaned_block&& other) noexcept
    : core_(std::move(other.core_)), block_(other.block_), bytes_(std::exchange(other.bytes_, {})) {}

loaned_block& loaned_block::operator=(loaned_block&& other) noexcept {
  if (this != &other) {
    if (core_) core_->return_loan(block_);
    core_ = std::move(other.core_);
    block_ = other.block_;
    bytes_ = std::exchange(other.bytes_, {});
  }
  return *this;
}

loaned_block::~loaned_block() {
  if (core_) core_->return_loan(block_);
}

}  // namespace weir::detail
