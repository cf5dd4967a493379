// SPDX-License-Identifier: BSL-1.0
#include "inspect/channel.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <thread>

#include "inspect/channel_problems.hpp"
#include "inspect/channel_snapshot.hpp"
#include "inspect/lock.hpp"

namespace weir::inspect {
namespace {

namespace ch = weir::channels;

constexpr int kLooks = 5;                              // until two agree
constexpr std::chrono::milliseconds kBetweenLooks{2};  // that look for the same problems

/// Turns one snapshot into a report.
class describer {
 public:
  describer(const channel_constants& constants, const channel_snapshot& snapshot, channel_report& out)
      : constants_(constants), snapshot_(snapshot), out_(out) {}

  void run() {
    const header_words& h = snapshot_.header;
    out_.closed = static_cast<ch::closing>(h.closed);
    out_.close_reason = h.closed != 0 ? snapshot_.close_reason : std::string();
    out_.settled = snapshot_.settled;
    const ticket_range tickets = find_tickets(snapshot_);
    out_.tail = tickets.tail;
    out_.head = tickets.head;
    out_.tail_hint = h.tail;
    out_.head_hint = h.head;
    out_.orphans = h.orphans;
    out_.pins = h.pins;
    out_.takers_asleep = h.item_sleepers;
    out_.putters_asleep = h.room_sleepers;
    out_.block_waiters_asleep = h.block_sleepers;
    describe_participants();
    describe_waiters();
    describe_bindings();
    out_.lock = describe_lock(h.lock, out_.segment.header->creator.pid_namespace, out_.participants);
    describe_blocks();
    describe_slots();
    describe_views();
    count_items();
  }

 private:
  [[nodiscard]] std::int32_t pid_of(std::uint32_t participant) const noexcept {
    if (participant == 0 || participant >= snapshot_.participants.size()) return 0;
    const participant_words& p = snapshot_.participants[participant];
    return p.used != 0 ? p.who.pid : 0;
  }

  void describe_participants() {
    out_.participants.clear();
    for (std::uint32_t entry = 1; entry < snapshot_.participants.size(); ++entry) {
      const participant_words& p = snapshot_.participants[entry];
      if (p.used != 0) out_.participants.push_back({entry, p.who, shm::look(p.who), p.process, p.attached_ns});
    }
  }

  void describe_waiters() {
    out_.waiters.clear();
    for (std::uint32_t entry = 0; entry < snapshot_.waiters.size(); ++entry) {
      const waiter_words& w = snapshot_.waiters[entry];
      if (ch::stage_of_waiter(w.word) != ch::waiter_stage::counted) continue;  // unused, coming or going
      const std::uint32_t participant = ch::participant_of_waiter(w.word);
      const auto user = std::find_if(out_.participants.begin(), out_.participants.end(),
                                     [&](const participant_report& p) { return p.entry == participant; });
      const auto life = user == out_.participants.end() ? shm::liveness::dead : user->life;
      out_.waiters.push_back(
          {entry, ch::waited_for(w.word), participant, pid_of(participant), life, w.thread, w.since_ns, w.until_ns});
    }
  }

  void describe_bindings() {
    out_.bindings.clear();
    for (const binding_words& b : snapshot_.header.bindings) {
      constexpr std::uint32_t kHost = 2;
      if (b.used != 0) out_.bindings.push_back({b.who, shm::look(b.who), b.process, b.used == kHost});
    }
  }

  void describe_blocks() {
    out_.blocks.clear();
    out_.blocks.reserve(snapshot_.blocks.size());
    out_.blocks_in = {};
    for (std::uint32_t index = 0; index < snapshot_.blocks.size(); ++index) {
      const block_words& words = snapshot_.blocks[index];
      block_report b;
      b.index = index;
      b.whole = snapshot_.is_whole_block(index);
      b.phase = ch::phase_of_block(words.word);
      b.owner = ch::owner_of_block(words.word);
      b.pid = pid_of(b.owner);
      b.bytes = words.bytes;
      b.reserved = words.reserved;
      b.ticket = words.ticket;
      if (b.whole && b.phase <= ch::block_phase::orphan) ++out_.blocks_in[static_cast<std::size_t>(b.phase)];
      out_.blocks.push_back(b);
    }
  }

  void describe_slots() {
    out_.slots.clear();
    out_.slots.reserve(snapshot_.slots.size());
    out_.slots_in = {};
    for (std::uint64_t index = 0; index < snapshot_.slots.size(); ++index) {
      const slot_words& words = snapshot_.slots[index];
      slot_report s;
      s.index = index;
      s.whole = snapshot_.is_whole_slot(index);
      s.turn = ch::turn_of(words.state);
      s.phase = ch::phase_of(words.state);
      s.owner = ch::owner_of(words.state);
      s.pid = pid_of(s.owner);
      s.ticket = s.turn * snapshot_.slots.size() + index;
      if (has_item(s)) describe_item(words.meta, s);
      if (s.whole && s.phase <= ch::phase::viewing) ++out_.slots_in[static_cast<std::size_t>(s.phase)];
      out_.slots.push_back(s);
    }
  }

  void describe_views() {
    out_.views.clear();
    for (std::uint64_t index = 0; index < snapshot_.views.size(); ++index) {
      const std::uint64_t view = snapshot_.views[index];
      if (view == 0 || !snapshot_.is_whole_view(index)) continue;
      view_report v;
      v.slot = index;
      v.phase = ch::phase_of_view(view);
      v.owner = ch::owner_of_view(view);
      v.pid = pid_of(v.owner);
      v.bytes = ch::bytes_of_view(view);
      const std::uint64_t turn = ch::whole_turn_of_view(view, ch::turn_of(snapshot_.slots[index].state));
      v.ticket = turn * snapshot_.slots.size() + index;
      out_.views.push_back(v);
    }
  }

  [[nodiscard]] bool has_item(const slot_report& s) const noexcept {
    if (s.phase == ch::phase::full || ch::is_claimed_by_taker(s.phase)) return true;
    if (s.phase != ch::phase::moving) return false;
    const std::uint64_t next = s.ticket + 1;
    const std::uint64_t count = snapshot_.slots.size();
    return snapshot_.slots[next % count].state != ch::make_state(next / count, ch::phase::full);
  }

  void describe_item(std::uint64_t meta, slot_report& s) const {
    s.has_item = true;
    if (constants_.items_fit_slots()) {
      s.bytes = constants_.fixed_bytes;
    } else if (const std::uint32_t block = ch::meta_block(meta); block == ch::kNoBlock) {
      s.bytes = ch::meta_bytes(meta);
    } else {
      s.block = block;
      s.bytes = block < snapshot_.blocks.size() ? snapshot_.blocks[block].bytes : 0;
    }
  }

  void count_items() {
    std::uint64_t items = 0;
    std::uint64_t bytes = 0;
    for (const slot_report& s : out_.slots) {
      if (!s.whole || !s.has_item || s.phase == ch::phase::reading || s.phase == ch::phase::viewing) {
        continue;
      }
      ++items;
      bytes += s.bytes;
    }
    for (const view_report& v : out_.views) {
      if (v.phase != ch::view_phase::orphan) continue;
      ++items;
      bytes += v.bytes;
    }
    for (const block_report& b : out_.blocks) {
      if (!b.whole || b.phase != ch::block_phase::orphan) continue;
      ++items;
      bytes += b.bytes;
    }
    out_.segment.items = items;
    out_.segment.used_bytes = bytes;
  }

  const channel_constants& constants_;
  const channel_snapshot& snapshot_;
  channel_report& out_;
};

/// Looks once; the problems are those that can be believed after this one look, and `maybe` those that are true if the
/// next look finds them too.
bool look_for_problems(const segment_file& file, const channel_constants& constants, channel_report& out,
                       std::vector<std::string>& maybe) {
  std::string why;
  const auto snapshot = take_snapshot(file, constants, kLooks, why);
  if (!snapshot) {
    mark_corrupt(out.segment, std::move(why));
    return false;
  }
  describer(constants, *snapshot, out).run();
  problems_found found = find_problems(constants, *snapshot, out);
  if (out.settled) {
    out.problems = std::move(found.single);
    std::move(found.overall.begin(), found.overall.end(), std::back_inserter(out.problems));
    maybe.clear();
  } else {
    maybe = std::move(found.single);
  }
  return true;
}

bool look_thoroughly(const segment_file& file, const channel_constants& constants, channel_report& out) {
  std::vector<std::string> first;
  if (!look_for_problems(file, constants, out, first)) return false;
  if (out.settled || first.empty()) return true;
  std::this_thread::sleep_for(kBetweenLooks);
  std::vector<std::string> second;
  if (!look_for_problems(file, constants, out, second)) return false;
  if (out.settled) return true;
  std::copy_if(second.begin(), second.end(), std::back_inserter(out.problems), [&](const std::string& problem) {
    return std::find(first.begin(), first.end(), problem) != first.end();
  });
  return true;
}

bool look_quickly(const segment_file& file, const channel_constants& constants, channel_report& out) {
  std::string why;
  const auto snapshot = take_snapshot(file, constants, 1, why);
  if (!snapshot) {
    mark_corrupt(out.segment, std::move(why));
    return false;
  }
  describer(constants, *snapshot, out).run();
  return true;
}

}  // namespace

channel_report describe_channel(checked_segment checked, effort how) {
  channel_report out;
  out.segment = std::move(checked.report);
  if (!out.segment.header) return out;
  if (out.segment.header->kind != shm::object_kind::channel) {
    settle_state(out.segment, {}, /*pinned=*/false);
    return out;
  }
  std::string why;
  const auto constants = read_constants(checked.file, out.segment.header->fixed_bytes, why);
  if (!constants) {
    mark_corrupt(out.segment, std::move(why));
    return out;
  }
  out.geometry = constants->geometry;
  out.max_item_bytes = constants->max_item_bytes;
  out.idle_block_bytes = constants->idle_block_bytes;
  out.segment.capacity = constants->geometry.capacity;
  out.readable = how == effort::thorough ? look_thoroughly(checked.file, *constants, out)
                                         : look_quickly(checked.file, *constants, out);
  if (!out.readable) return out;
  std::vector<shm::process_identity> holders;
  for (const participant_report& p : out.participants) holders.push_back(p.who);
  settle_state(out.segment, holders, out.pins > 0);
  return out;
}

channel_report describe_channel(std::string_view name, effort how) {
  return describe_channel(check_segment(name), how);
}

}  // namespace weir::inspect
