// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "channel/spin.hpp"
#include "channel/wait.hpp"

// GCC and clang both know it; it keeps the copy below out of the thread sanitizer's sight.
#define WEIR_MAY_RACE __attribute__((no_sanitize("thread"), noinline))

namespace weir::detail {
namespace {

/// Copies bytes that somebody may be overwriting. What comes out is used only if the slot's state, looked at again
/// afterwards, shows that nobody did (a sequence lock; H. Boehm, "Can seqlocks get along with programming language
/// memory models?", MSPC 2012).
WEIR_MAY_RACE void copy_while_it_may_change(std::byte* to, const std::byte* from, std::size_t bytes) noexcept {
  std::size_t done = 0;
  for (; done + sizeof(std::uint64_t) <= bytes; done += sizeof(std::uint64_t)) {
    const std::uint64_t word = *reinterpret_cast<const volatile std::uint64_t*>(from + done);
    std::memcpy(to + done, &word, sizeof word);
  }
  for (; done < bytes; ++done) to[done] = *const_cast<const volatile std::byte*>(from + done);
  std::atomic_thread_fence(std::memory_order_acquire);
}

}  // namespace

/// False: the block holds no such item; the caller knows whether it should.
bool channel_core::copy_block(std::uint32_t block, item_copy& out) const {
  out.bytes.clear();
  if (block >= blocks_.count()) return false;
  const ch::block_entry& entry = blocks_.entry(block);
  const std::size_t bytes = entry.bytes.load(std::memory_order_relaxed);
  out.has_references = (entry.flags.load(std::memory_order_relaxed) & ch::kHasReferences) != 0;
  if (!can_hold(block, bytes)) return false;
  out.bytes.resize(bytes);
  if (blocks_.idle_bytes() == std::numeric_limits<std::size_t>::max() &&
      bytes <= entry.reserved.load(std::memory_order_relaxed)) {
    copy_while_it_may_change(out.bytes.data(), blocks_.data(block), bytes);
  } else {  // its memory may be given back while we read
    segment_.read(blocks_.offset_of(block), out.bytes);
  }
  return true;
}

bool channel_core::copy_item_of(const ring_place& p, item_copy& out) const {
  const std::uint64_t meta =
      fixed_in_slot_ ? ch::make_meta(ch::kNoBlock, 0, fixed_bytes_) : p.at->meta.load(std::memory_order_relaxed);
  if (ch::meta_block(meta) != ch::kNoBlock) return copy_block(ch::meta_block(meta), out);
  out.has_references = (ch::meta_flags(meta) & ch::kHasReferences) != 0;
  out.bytes.resize(std::min(ch::meta_bytes(meta), most_in_slot_));
  copy_while_it_may_change(out.bytes.data(), item_of(p), out.bytes.size());
  return true;
}

/// Under the lock.
void channel_core::copy_orphan(const orphan_place& orphan, item_copy& out) const {
  const ring_place p = ring_.locate(orphan.ticket);
  if (orphan.block != ch::kNoBlock || orphan.view == 0) {
    if (orphan.block != ch::kNoBlock ? copy_block(orphan.block, out) : copy_item_of(p, out)) return;
    throw_corrupt(fmt::format("item {} was left behind in a block that cannot hold it", orphan.ticket));
  }
  const std::span<const std::byte> item(p.piece(), std::min(ch::bytes_of_view(orphan.view), most_in_slot_));
  out.bytes.assign(item.begin(), item.end());
  out.has_references = false;
}

/// False: the slot does not hold an item of that ticket, or it was taken while we copied.
bool channel_core::copy_full_slot(const ring_place& p, item_copy& out) const {
  const ch::slot_state full = ch::make_state(p.turn, ch::phase::full);
  if (p.at->state.load(std::memory_order_acquire) != full) return false;  // pairs with publish()
  const bool is_sound = copy_item_of(p, out);
  if (p.at->state.load(std::memory_order_relaxed) != full) return false;
  if (!is_sound) throw_corrupt(fmt::format("slot of ticket {}: names a block that cannot hold its item", p.ticket));
  return true;
}

std::vector<channel_core::orphan_place> channel_core::orphans_in_order() const {
  std::vector<orphan_place> found;
  if (header_->orphans.load(std::memory_order_relaxed) == 0) return found;
  for (std::uint64_t index = 0; index < ring_.count(); ++index) {
    const ch::slot& slot = *ring_.slot_at(index);
    const ch::slot_state seen = slot.state.load(std::memory_order_acquire);
    const std::uint64_t view = view_of(slot);
    if (ch::phase_of_view(view) == ch::view_phase::orphan) {
      const std::uint64_t turn = ch::whole_turn_of_view(view, ch::turn_of(seen));
      found.push_back({turn * ring_.count() + index, ch::kNoBlock, view});
    }
    if (ch::phase_of(seen) != ch::phase::orphan) continue;
    found.push_back({ch::turn_of(seen) * ring_.count() + index, ch::kNoBlock, 0});
  }
  for (std::uint32_t block = 0; block < blocks_.count(); ++block) {
    const ch::block_entry& entry = blocks_.entry(block);
    if (ch::phase_of_block(entry.word.load(std::memory_order_acquire)) != ch::block_phase::orphan) continue;
    found.push_back({entry.ticket.load(std::memory_order_relaxed), block, 0});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.ticket < b.ticket; });
  return found;
}

channel_core::attempt channel_core::fetch_once(item_copy& out) {
  if (header_->orphans.load(std::memory_order_acquire) != 0) {
    const locked lock(*this);
    const std::vector<orphan_place> orphans = orphans_in_order();
    if (!orphans.empty()) {
      copy_orphan(orphans.front(), out);
      return attempt::done;
    }
  }
  for (;;) {
    bool is_damaged = false;
    const ring_place p = ring_.locate(ring_.settled_head(&is_damaged));
    if (copy_full_slot(p, out)) return attempt::done;
    const ch::slot_state seen = p.at->state.load(std::memory_order_acquire);
    const std::int64_t ahead = ch::turns_ahead(seen, p.turn);
    if (ahead < 0 || (ahead == 0 && ch::phase_of(seen) == ch::phase::empty)) return attempt::not_yet;
    if (ahead == 0 && (ch::phase_of(seen) == ch::phase::writing || ch::phase_of(seen) == ch::phase::moving)) {
      return attempt::busy;
    }
    if (is_damaged || (ahead == 0 && ch::ring::is_damaged(seen))) throw_damaged_slot(p);
    if (ahead == 0 && ch::phase_of(seen) == ch::phase::blank) ring_.skip_blank(p);
  }
}

take_status channel_core::fetch(item_copy& out, deadline until) {
  check_usable();
  if (rendezvous_) {
    throw invalid_argument("weir: fetch from channel \"" + std::string(display_name()) +
                           "\": it has capacity 0, so nothing is ever inside (use take)");
  }
  const auto once = [&] {
    attempt result = fetch_once(out);
    if (result == attempt::not_yet && is_closed()) {
      if (!look_for_the_dead(/*even_if_just_looked=*/true)) return attempt::busy;
      result = fetch_once(out);
      if (result == attempt::not_yet) throw_closed("fetch from channel");
    }
    return result;
  };
  attempt first = once();
  if (first == attempt::busy && until.is_at_once()) {
    look_for_the_dead();
    first = once();
  }
  if (first == attempt::done) return take_status::taken;
  if (until.is_at_once()) return take_status::empty;
  if (!spin_to_take(once, {}) && wait(ch::waits_for::item, until, nullptr, once) != wait_result::done)
    return take_status::empty;
  wake_some(header_->not_empty, 1);  // the item is still there: somebody else may have waited to take it
  return take_status::taken;
}

std::vector<item_copy> channel_core::peek() {
  check_usable();
  std::vector<item_copy> items;
  if (header_->orphans.load(std::memory_order_acquire) != 0) {
    const locked lock(*this);
    for (const orphan_place& orphan : orphans_in_order()) copy_orphan(orphan, items.emplace_back());
  }
  const std::uint64_t head = ring_.settled_head();
  for (std::uint64_t ticket = head; ticket != head + ring_.count(); ++ticket) {
    const ring_place p = ring_.locate(ticket);
    const ch::slot_state seen = p.at->state.load(std::memory_order_acquire);
    const std::int64_t ahead = ch::turns_ahead(seen, p.turn);
    if (ahead < 0 || (ahead == 0 && ch::phase_of(seen) == ch::phase::empty)) break;
    item_copy copy;
    if (copy_full_slot(p, copy)) items.push_back(std::move(copy));
  }
  return items;
}

bool channel_core::is_ready() const noexcept {
  if (header_->orphans.load(std::memory_order_relaxed) != 0) return true;
  const std::uint64_t head = ring_.settled_head();
  for (std::uint64_t ticket = head; ticket != head + ring_.count(); ++ticket) {
    const ring_place p = ring_.locate(ticket);
    const ch::slot_state seen = p.at->state.load(std::memory_order_acquire);
    if (seen == ch::make_state(p.turn, ch::phase::full)) return true;
    if (seen != ch::make_state(p.turn, ch::phase::blank)) return false;
  }
  return false;
}

std::size_t channel_core::size() const noexcept {
  if (rendezvous_) return 0;
  const std::uint64_t head = ring_.settled_head();
  const std::uint64_t tail = ring_.settled_tail();
  std::uint64_t items = static_cast<std::int64_t>(tail - head) > 0 ? std::min(tail - head, ring_.count()) : 0;
  if (header_->blanks_made.load(std::memory_order_relaxed) != 0) {
    const std::uint64_t slots = items;
    for (std::uint64_t ticket = head; ticket != head + slots; ++ticket) {
      const ring_place p = ring_.locate(ticket);
      if (p.at->state.load(std::memory_order_relaxed) == ch::make_state(p.turn, ch::phase::blank)) --items;
    }
  }
  return std::min<std::uint64_t>(items + header_->orphans.load(std::memory_order_relaxed),
                                 constants_.geometry.capacity);
}

}  // namespace weir::detail
