// SPDX-License-Identifier: BSL-1.0
#include "inspect/items.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <span>
#include <utility>

namespace weir::inspect {
namespace {

namespace ch = weir::channels;

/// The words of a slot, where items of any size lie in slots and blocks.
struct slot_head {
  std::uint64_t state = 0;
  std::uint64_t meta = 0;
  std::uint64_t view = 0;
  std::uint64_t length = 0;
};
static_assert(sizeof(slot_head) == sizeof(ch::slot));

class items_reader {
 public:
  items_reader(const segment_file& file, const channel_constants& constants, const channel_snapshot& snapshot,
               const items_options& options, const std::function<void(const item&)>& give)
      : file_(file), c_(constants), g_(constants.geometry), snapshot_(snapshot), options_(options), give_(give) {
    struct stat info {};
    if (::fstat(file.fd(), &info) == 0) memory_ = static_cast<std::uint64_t>(info.st_blocks) * 512;
    dead_.resize(snapshot.participants.size());
    for (std::size_t i = 1; i < dead_.size(); ++i) {
      const participant_words& p = snapshot.participants[i];
      dead_[i] = p.used != 0 && shm::look(p.who) == shm::liveness::dead;
    }
  }

  void run(items_result& out) {
    give_orphans();
    give_ring();
    out.found = found_;
    out.changing = changing_;
  }

 private:
  [[nodiscard]] bool wants_more() const noexcept { return found_ < options_.count; }
  [[nodiscard]] bool is_dead(std::uint32_t owner) const noexcept { return owner < dead_.size() && dead_[owner]; }

  void give(const item& found) {
    give_(found);
    ++found_;
  }

  // --------------------------------------------------------------------------------- what dead takers left behind

  struct orphan {
    enum class place { slot, view, block };
    std::uint64_t ticket = 0;
    place where{};
    std::uint64_t index = 0;
  };

  void give_orphans() {
    std::vector<orphan> found;
    for (std::uint64_t index = 0; index < g_.slot_count; ++index) {
      const std::uint64_t state = snapshot_.slots[index].state;
      if (is_left_in_slot(state)) {
        found.push_back({ch::turn_of(state) * g_.slot_count + index, orphan::place::slot, index});
      }
      const std::uint64_t view = snapshot_.views.empty() ? 0 : snapshot_.views[index];
      if (!is_left_in_view(view)) continue;
      const std::uint64_t turn = ch::whole_turn_of_view(view, ch::turn_of(state));
      if (turn == ch::turn_of(state) && is_left_in_slot(state)) continue;  // the same item
      found.push_back({turn * g_.slot_count + index, orphan::place::view, index});
    }
    for (std::uint64_t index = 0; index < snapshot_.blocks.size(); ++index) {
      const block_words& words = snapshot_.blocks[index];
      const std::uint64_t state = snapshot_.slots[words.ticket % g_.slot_count].state;
      const bool is_in_slot = ch::turns_ahead(state, words.ticket / g_.slot_count) == 0 && is_left_in_slot(state);
      if (is_left_in_block(words) && !is_in_slot) found.push_back({words.ticket, orphan::place::block, index});
    }
    std::sort(found.begin(), found.end(), [](const orphan& a, const orphan& b) { return a.ticket < b.ticket; });
    for (const orphan& each : found) {
      if (!wants_more()) return;
      item one;
      one.ticket = each.ticket;
      one.left_behind = true;
      if (read_orphan(each, one)) {
        give(one);
      } else {
        ++changing_;
      }
    }
  }
  [[nodiscard]] bool is_left_in_slot(std::uint64_t state) const noexcept {
    const ch::phase phase = ch::phase_of(state);
    return phase == ch::phase::orphan || (ch::is_claimed_by_taker(phase) && is_dead(ch::owner_of(state)));
  }
  [[nodiscard]] bool is_left_in_view(std::uint64_t view) const noexcept {
    const ch::view_phase phase = ch::phase_of_view(view);
    return view != 0 &&
           (phase == ch::view_phase::orphan || (phase == ch::view_phase::viewing && is_dead(ch::owner_of_view(view))));
  }
  [[nodiscard]] bool is_left_in_block(const block_words& words) const noexcept {
    const ch::block_phase phase = ch::phase_of_block(words.word);
    return phase == ch::block_phase::orphan ||
           (phase == ch::block_phase::taken && is_dead(ch::owner_of_block(words.word)));
  }

  /// False: it has changed.
  bool read_orphan(const orphan& from, item& out) {
    switch (from.where) {
      case orphan::place::slot: {
        const std::uint64_t state = snapshot_.slots[from.index].state;
        bytes_.resize(g_.slot_bytes);
        std::uint64_t after = 0;
        return file_.read(g_.offset_of_slot(from.index), bytes_) && read_words(g_.offset_of_slot(from.index), after) &&
               after == state && take_slot(from.index, state, bytes_, out);
      }
      case orphan::place::view: {
        const std::uint64_t view = snapshot_.views[from.index];
        out.bytes = std::min<std::uint64_t>(ch::bytes_of_view(view), c_.slot_item_bytes());
        out.content.resize(out.bytes);
        std::uint64_t after = 0;
        return file_.read(g_.offset_of_slot(from.index) + ch::kPiece, out.content) &&
               read_words(g_.offset_of_slot(from.index) + offsetof(ch::slot, view), after) && after == view;
      }
      case orphan::place::block: break;
    }
    const block_words& before = snapshot_.blocks[from.index];
    out.has_references = (before.flags & ch::kHasReferences) != 0;
    read_block(from.index, before.bytes, out);
    block_words after{};
    return read_words(g_.block_table_offset + from.index * sizeof(ch::block_entry), after) && after == before;
  }

  // ------------------------------------------------------------------------------------------------------- the ring

  /// Some slots at a time, from the oldest on: all their states, then all of them with what they hold, then the states
  /// again. Where takers are quicker than that, it goes on with items that are further from them.
  void give_ring() {
    constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 20U;
    std::uint64_t next = find_tickets(snapshot_).head;
    std::uint64_t jumps = 0;
    for (std::uint64_t looked = 0; looked < 2 * g_.slot_count && wants_more();) {
      const std::uint64_t index = next % g_.slot_count;
      constexpr std::uint64_t kSpare = 16;
      const std::uint64_t wanted = std::min(options_.count - found_, g_.slot_count) + kSpare;
      const std::uint64_t count =
          std::min({wanted, std::max<std::uint64_t>(kMostBytes / g_.slot_bytes, 1), g_.slot_count - index});
      switch (give_slots(next, count)) {
        case progress::some: next += count; break;
        case progress::end: return;
        case progress::too_slow: {
          std::uint64_t head = 0;
          if (!read_words(shm::kPage + offsetof(ch::channel_header, head), head)) return;
          // The word may be anything; what is in the slots decides.
          constexpr std::uint64_t kJumps = 4;
          jumps = jumps % kJumps + 1;
          next = std::max(next + count, head) + g_.slot_count * (jumps - 1) / kJumps;
          break;
        }
      }
      looked += count;
    }
  }

  enum class progress { some, too_slow, end };

  /// Rows of slots that lie one after the other.
  struct rows {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
  };
  /// Those in which `count` slots from `begin` on lie, and no more than a few others.
  [[nodiscard]] rows rows_of(std::uint64_t begin, std::uint64_t count) const noexcept {
    constexpr std::uint64_t kGroup = ch::slot_order::kGroup;
    const std::uint64_t first = begin / kGroup * kGroup;
    const std::uint64_t end = std::min((begin + count + kGroup - 1) / kGroup * kGroup, g_.slot_count);
    return {first, end - first};
  }

  /// Those of `count` tickets from `first` on, all of one turn.
  progress give_slots(std::uint64_t first, std::uint64_t count) {
    const std::uint64_t begin = first % g_.slot_count;
    const std::uint64_t turn = first / g_.slot_count;
    const rows all = rows_of(begin, count);
    const ch::slot_order row_of(g_.slot_count, g_.slot_bytes);
    const std::vector<std::uint64_t> before = read_states(all);
    bytes_.resize(all.count * g_.slot_bytes);
    const bool could = file_.read(g_.slots_offset + all.first * g_.slot_bytes, bytes_);
    std::atomic_thread_fence(std::memory_order_acquire);
    const std::vector<std::uint64_t> after = read_states(all);
    // The file became shorter?
    if (!could || before.size() != all.count || after.size() != all.count) return progress::end;
    std::uint64_t given = 0;
    std::uint64_t gone = 0;
    for (std::uint64_t i = 0; i < count && wants_more(); ++i) {
      const std::uint64_t row = row_of(begin + i) - all.first;
      const std::uint64_t state = before[row];
      const std::int64_t ahead = ch::turns_ahead(state, turn);
      const ch::phase phase = ch::phase_of(state);
      if (ahead < 0 || (ahead == 0 && phase == ch::phase::empty)) return progress::end;  // nothing was put here yet
      if (ahead > 0) ++gone;
      if (ahead > 0 || (phase != ch::phase::full && phase != ch::phase::moving)) continue;
      item one;
      one.ticket = first + i;
      if (phase == ch::phase::moving && has_moved(one.ticket)) continue;
      const auto bytes = std::span<const std::byte>(bytes_).subspan(row * g_.slot_bytes, g_.slot_bytes);
      if (state != after[row] || !take_slot(begin + i, state, bytes, one)) {
        ++changing_;
        ++gone;
        continue;
      }
      give(one);
      ++given;
    }
    return given == 0 && gone != 0 ? progress::too_slow : progress::some;
  }

  /// The next slot has the item already.
  [[nodiscard]] bool has_moved(std::uint64_t ticket) const {
    const std::uint64_t next = ticket + 1;
    std::uint64_t there = 0;
    return read_words(g_.offset_of_slot(next % g_.slot_count), there) &&
           there == ch::make_state(next / g_.slot_count, ch::phase::full);
  }

  [[nodiscard]] std::vector<std::uint64_t> read_states(const rows& which) const {
    auto states =
        file_.read_rows<std::uint64_t>(g_.slots_offset + which.first * g_.slot_bytes, which.count, g_.slot_bytes);
    std::atomic_thread_fence(std::memory_order_acquire);
    return states;
  }

  /// `bytes` are the slot's, read while it was in this state. False: the item has changed since.
  bool take_slot(std::uint64_t index, std::uint64_t state, std::span<const std::byte> bytes, item& out) {
    if (c_.items_fit_slots()) {
      out.bytes = c_.fixed_bytes;
      const auto content = bytes.subspan(ch::kFixedItem, c_.fixed_bytes);
      out.content.assign(content.begin(), content.end());
      return true;
    }
    slot_head head;
    std::memcpy(&head, bytes.data(), sizeof head);
    out.has_references = (ch::meta_flags(head.meta) & ch::kHasReferences) != 0;
    const std::uint32_t block = ch::meta_block(head.meta);
    if (block == ch::kNoBlock) {
      out.bytes = ch::meta_bytes(head.meta);
      if (out.bytes > c_.slot_item_bytes()) {
        out.why = fmt::format("its slot says that it has {} bytes, which do not fit in there", out.bytes);
        return true;
      }
      const auto content = bytes.subspan(ch::kPiece, out.bytes);
      out.content.assign(content.begin(), content.end());
      return true;
    }
    if (block >= g_.block_count) {
      out.why = fmt::format("its slot names block {}, of {}", block, g_.block_count);
      return true;
    }
    const std::uint64_t entry_at = g_.block_table_offset + block * sizeof(ch::block_entry);
    block_words before{};
    block_words after{};
    std::uint64_t state_after = 0;
    if (!read_words(entry_at, before)) return false;
    read_block(block, head.length, out);
    if (!read_words(entry_at, after) || !read_words(g_.offset_of_slot(index), state_after)) return false;
    if (state_after != state || after != before) return false;
    if (before.bytes != head.length && out.why.empty()) {
      out.content.clear();
      out.why = fmt::format("its slot says that it has {} bytes, its block {}", head.length, before.bytes);
    }
    return true;
  }

  /// What lies in a block; if that cannot be, or is too much, the length only.
  void read_block(std::uint64_t block, std::uint64_t bytes, item& out) {
    out.bytes = bytes;
    if (bytes > g_.block_stride || bytes > memory_) {
      out.why = fmt::format("it is said to have {} bytes, in a block of {} and a file that has memory for {}", bytes,
                            g_.block_stride, memory_);
      return;
    }
    if (bytes > options_.most_bytes) return;
    out.content.resize(bytes);
    if (!file_.read(g_.blocks_offset + block * g_.block_stride, out.content)) {
      out.content.clear();
      out.why = "its bytes cannot be read";
    }
    std::atomic_thread_fence(std::memory_order_acquire);
  }

  template <class Words>
  bool read_words(std::uint64_t offset, Words& out) const {
    return file_.read(offset, std::as_writable_bytes(std::span(&out, 1)));
  }

  const segment_file& file_;
  const channel_constants& c_;
  const ch::channel_geometry& g_;
  const channel_snapshot& snapshot_;
  const items_options& options_;
  const std::function<void(const item&)>& give_;
  std::uint64_t memory_ = 0;
  std::vector<bool> dead_;        // participants
  std::vector<std::byte> bytes_;  // of some slots
  std::uint64_t found_ = 0;
  std::uint64_t changing_ = 0;
};

}  // namespace

items_result read_items(const checked_segment& channel, const items_options& options,
                        const std::function<void(const item&)>& give) {
  items_result out;
  const auto& header = channel.report.header;
  if (!header || header->kind != shm::object_kind::channel) {
    out.why = channel.report.why.empty() ? "it is no channel" : channel.report.why;
    return out;
  }
  const auto constants = read_constants(channel.file, header->fixed_bytes, out.why);
  if (!constants) return out;
  const auto snapshot = take_snapshot(channel.file, *constants, /*looks=*/1, out.why);
  if (!snapshot) return out;
  out.readable = true;
  items_reader(channel.file, *constants, *snapshot, options, give).run(out);
  return out;
}

}  // namespace weir::inspect
