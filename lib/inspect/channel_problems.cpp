// SPDX-License-Identifier: BSL-1.0
#include "inspect/channel_problems.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace weir::inspect {
namespace {

namespace ch = weir::channels;

class search {
 public:
  search(const channel_constants& constants, const channel_snapshot& snapshot, const channel_report& report)
      : constants_(constants),
        snapshot_(snapshot),
        report_(report),
        users_(snapshot.participants.size(), nullptr),
        named_by_(snapshot.blocks.size(), nullptr) {
    for (const participant_report& p : report.participants) users_[p.entry] = &p;
  }

  problems_found run() {
    look_at_slots();
    look_at_views();
    look_at_blocks();
    look_at_waiters();
    look_at_lock();
    look_at_counts();
    look_at_sleepers();
    look_at_tickets();
    return std::move(found_);
  }

 private:
  template <class... Args>
  void single(fmt::format_string<Args...> text, Args&&... args) {
    found_.single.push_back(fmt::format(text, std::forward<Args>(args)...));
  }
  template <class... Args>
  void overall(fmt::format_string<Args...> text, Args&&... args) {
    found_.overall.push_back(fmt::format(text, std::forward<Args>(args)...));
  }

  /// Why `owner` cannot own anything; empty: it can.
  [[nodiscard]] std::string wrong_with_owner(std::uint32_t owner) const {
    if (owner == 0) return "nobody";
    const participant_report* user = owner < users_.size() ? users_[owner] : nullptr;
    if (user == nullptr) return fmt::format("participant {}, which is not in use", owner);
    if (user->life == shm::liveness::dead) return fmt::format("process {}, which is dead", user->who.pid);
    return {};
  }

  void look_at_slots() {
    for (const slot_report& s : report_.slots) {
      if (!s.whole) continue;
      const auto here = fmt::format("slot {}, ticket {}", s.index, s.ticket);
      if (s.phase > ch::phase::viewing) {
        single("{}: has no phase but {}", here, static_cast<unsigned>(s.phase));
        continue;
      }
      const bool owned = s.phase == ch::phase::writing || s.phase == ch::phase::reading ||
                         s.phase == ch::phase::moving || s.phase == ch::phase::viewing;
      if (!owned && s.owner != 0) single("{}: is {}, yet owned by participant {}", here, text_of(s.phase), s.owner);
      if (owned) {
        const std::string why = wrong_with_owner(s.owner);
        if (!why.empty()) single("{}: {}, and its owner is {}", here, text_of(s.phase), why);
      }
      if (s.has_item) look_at_item(s, here);
    }
  }

  void look_at_item(const slot_report& s, const std::string& here) {
    if (!s.block) {
      if (s.bytes > constants_.slot_item_bytes()) {
        single("{}: an item of {} bytes cannot lie in a slot with room for {}", here, s.bytes,
               constants_.slot_item_bytes());
      }
      return;
    }
    if (*s.block >= named_by_.size()) {
      single("{}: names block {}, and there are {}", here, *s.block, named_by_.size());
      return;
    }
    if (named_by_[*s.block] != nullptr) {
      single("{}: names block {}, which slot {} names too", here, *s.block, named_by_[*s.block]->index);
      return;
    }
    named_by_[*s.block] = &s;
  }

  void look_at_views() {
    for (const view_report& v : report_.views) {
      const std::string here = fmt::format("slot {}: item {}, read in place,", v.slot, v.ticket);
      if (v.phase != ch::view_phase::viewing && v.phase != ch::view_phase::orphan) {
        single("{} has no phase but {}", here, static_cast<unsigned>(v.phase));
        continue;
      }
      const std::string why = wrong_with_owner(v.owner);
      if (v.phase == ch::view_phase::viewing && !why.empty()) single("{} is held by {}", here, why);
      if (v.phase == ch::view_phase::orphan && v.owner != 0) single("{} is an orphan, yet owned by {}", here, v.owner);
      if (v.bytes > constants_.slot_item_bytes()) {
        single("{} has {} bytes, more than the slot's {}", here, v.bytes, constants_.slot_item_bytes());
      }
    }
  }

  void look_at_blocks() {
    const ch::channel_geometry& g = constants_.geometry;
    for (const block_report& b : report_.blocks) {
      if (!b.whole) continue;
      const slot_report* slot = named_by_[b.index];
      const std::string here =
          slot == nullptr ? fmt::format("block {}", b.index)
                          : fmt::format("block {}, named by slot {}, ticket {}", b.index, slot->index, slot->ticket);
      if (b.phase > ch::block_phase::orphan) {
        single("{}: has no phase but {}", here, static_cast<std::uint64_t>(b.phase));
        continue;
      }
      const bool owned = b.phase == ch::block_phase::held || b.phase == ch::block_phase::taken;
      if (!owned && b.owner != 0) single("{}: is {}, yet owned by participant {}", here, text_of(b.phase), b.owner);
      if (b.reserved > g.block_stride) {
        single("{}: {} bytes reserved in a stretch of {}", here, b.reserved, g.block_stride);
      }
      const bool has_item = slot != nullptr || b.phase == ch::block_phase::taken || b.phase == ch::block_phase::orphan;
      if (has_item && (b.bytes > g.block_stride || b.bytes > b.reserved)) {
        single("{}: holds an item of {} bytes, with {} reserved", here, b.bytes, b.reserved);
      }
      look_at_holder(b, slot, here);
    }
  }

  void look_at_holder(const block_report& b, const slot_report* slot, const std::string& here) {
    switch (b.phase) {
      case ch::block_phase::free:
        if (slot != nullptr) single("{}: is free", here);
        break;
      case ch::block_phase::held:
        // A putter that has put leaves its mark, and may be gone since.
        if (const std::string why = wrong_with_owner(b.owner); slot == nullptr && !why.empty()) {
          single("{}: is held by {}, and no slot names it", here, why);
        }
        break;
      case ch::block_phase::taken:
        if (const std::string why = wrong_with_owner(b.owner); !why.empty()) {
          single("{}: item {} is taken by {}", here, b.ticket, why);
        }
        if (slot != nullptr && (slot->phase != ch::phase::reading || slot->owner != b.owner)) {
          single("{}: is taken by participant {}, while that slot is {}", here, b.owner, text_of(slot->phase));
        }
        break;
      case ch::block_phase::queued:
        if (slot == nullptr) single("{}: is queued, and no slot names it", here);
        break;
      case ch::block_phase::orphan:
        if (slot != nullptr) single("{}: is an orphan", here);
        break;
    }
  }

  void look_at_waiters() {
    for (const waiter_report& w : report_.waiters) {
      const std::string why = wrong_with_owner(w.participant);
      if (!why.empty()) {
        single("waiter {}: waits for {} since {}, but belongs to {}", w.entry, text_of(w.what), w.since_ns, why);
      }
      if (w.what > ch::waits_for::pickup) {
        single("waiter {}: waits for nothing that there is ({})", w.entry, static_cast<unsigned>(w.what));
      }
    }
  }

  void look_at_lock() {
    const lock_report& lock = report_.lock;
    if (lock.unusable) single("lock: is not a mutex that weir made, or was given up for good");
    if ((lock.held || lock.owner_died) && lock.life == shm::liveness::dead) {
      single("lock: held by thread {}, which is dead (whoever locks it next repairs)", lock.thread);
    }
    if (!lock.held && !lock.owner_died && lock.damaged) overall("lock: free, but what it guards was not repaired");
  }

  /// What changes under the lock only. While somebody holds it, it may be half changed; after a death it will be counted
  /// anew by whoever locks it next.
  void look_at_counts() {
    const lock_report& lock = report_.lock;
    if (lock.held || lock.owner_died || lock.damaged) return;
    const auto viewed =
        static_cast<std::uint64_t>(std::count_if(report_.views.begin(), report_.views.end(), [](const view_report& v) {
          return v.phase == ch::view_phase::orphan;
        }));
    const auto orphans = viewed + report_.slots_in[static_cast<std::size_t>(ch::phase::orphan)] +
                         report_.blocks_in[static_cast<std::size_t>(ch::block_phase::orphan)];
    if (orphans != report_.orphans) overall("orphans: {} counted, {} there", report_.orphans, orphans);
    for (const binding_words& b : snapshot_.header.bindings) {
      if (b.used > 2) overall("bindings: one is used in a way {} that there is not", b.used);
    }
  }

  /// An event may count too many after a death, never too few: those would not be woken.
  void look_at_sleepers() {
    std::uint32_t item = 0;
    std::uint32_t room = 0;
    std::uint32_t block = 0;
    for (const waiter_report& w : report_.waiters) {
      ++(w.what == ch::waits_for::item ? item : w.what == ch::waits_for::block ? block : room);
    }
    const auto compare = [&](const char* what, std::uint32_t counted, std::uint32_t there) {
      if (counted < there) overall("sleepers that wait for {}: {} counted, {} there", what, counted, there);
    };
    compare("an item", report_.takers_asleep, item);
    compare("room", report_.putters_asleep, room);
    compare("a block", report_.block_waiters_asleep, block);
  }

  void look_at_tickets() {
    const header_words& h = snapshot_.header;
    const auto blanks = report_.slots_in[static_cast<std::size_t>(ch::phase::blank)];
    if (blanks != 0 && h.blanks_made == 0) overall("slots: {} blank, and none was ever said to be made", blanks);
    if (h.closed > static_cast<std::uint32_t>(ch::closing::host_ended)) {
      overall("closed: in a way {} that there is not", h.closed);
    }
    if (h.pins < 0) overall("pins: {}, taken back more often than given", h.pins);
    if (!find_tickets(snapshot_).fits) {
      overall("slots: their turns are not those of one ring");
      return;
    }
    const auto beyond = [](std::uint64_t hint, std::uint64_t ticket) {
      return static_cast<std::int64_t>(hint - ticket) > 0;
    };
    if (beyond(report_.tail_hint, report_.tail)) {
      overall("tail: the hint {} is beyond the {} puts that the slots show", report_.tail_hint, report_.tail);
    }
    // A rendezvous may make a blank of an item that a dead taker had claimed: its ticket is taken twice then.
    if (beyond(report_.head_hint, report_.head) && !(report_.geometry.capacity == 0 && blanks != 0)) {
      overall("head: the hint {} is beyond the {} takes that the slots show", report_.head_hint, report_.head);
    }
  }

  const channel_constants& constants_;
  const channel_snapshot& snapshot_;
  const channel_report& report_;
  std::vector<const participant_report*> users_;  // by entry; null: not in use
  std::vector<const slot_report*> named_by_;      // by block
  problems_found found_;
};

}  // namespace

problems_found find_problems(const channel_constants& constants, const channel_snapshot& snapshot,
                             const channel_report& report) {
  return search(constants, snapshot, report).run();
}

}  // namespace weir::inspect
