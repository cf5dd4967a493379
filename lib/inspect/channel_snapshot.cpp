// SPDX-License-Identifier: BSL-1.0
#include "inspect/channel_snapshot.hpp"

#include "inspect/copy_of.hpp"
#include "inspect/lock.hpp"

#include <fmt/core.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <memory>
#include <thread>
#include <utility>

namespace weir::inspect {
namespace {

namespace ch = weir::channels;

static_assert(offsetof(slot_words, meta) == offsetof(ch::slot, meta));
static_assert(offsetof(block_words, flags) == offsetof(ch::block_entry, flags));
static_assert(offsetof(participant_words, used) == offsetof(ch::participant_entry, used) &&
              offsetof(participant_words, attached_ns) == offsetof(ch::participant_entry, attached_ns));
static_assert(offsetof(waiter_words, thread) == offsetof(ch::waiter_entry, thread) &&
              offsetof(waiter_words, until_ns) == offsetof(ch::waiter_entry, until_ns));
static_assert(sizeof(binding_words) == sizeof(ch::binding_entry) &&
              offsetof(binding_words, used) == offsetof(ch::binding_entry, used));

bool read_header(const segment_file& file, ch::channel_header& h) {
  return file.read(shm::kPage, {reinterpret_cast<std::byte*>(&h), sizeof h});
}

header_words words_of(const ch::channel_header& h) {
  header_words out;
  out.closed = h.closed.load(kRelaxed);
  out.orphans = h.orphans.load(kRelaxed);
  out.pins = h.pins.load(kRelaxed);
  out.blanks_made = h.blanks_made.load(kRelaxed);
  out.item_sleepers = ch::sleepers_of(h.not_empty.word.load(kRelaxed));
  out.room_sleepers = ch::sleepers_of(h.not_full.word.load(kRelaxed));
  out.block_sleepers = ch::sleepers_of(h.block_freed.word.load(kRelaxed));
  out.participants_high = h.participants_high;
  out.waiters_high = h.waiters_high.load(kRelaxed);
  out.close_process = h.close_process;
  out.close_reason_bytes = h.close_reason_bytes;
  out.tail = h.tail.load(kRelaxed);
  out.head = h.head.load(kRelaxed);
  out.lock = inspect::words_of(h.mutex);
  std::memcpy(out.bindings.data(), h.bindings, sizeof h.bindings);
  return out;
}

/// The words of each slot that begin at `field`, by the slots' numbers. Fewer: the file is shorter.
template <class Row>
std::vector<Row> read_slots(const segment_file& file, const ch::channel_geometry& g, std::size_t field) {
  std::vector<Row> rows = file.read_rows<Row>(g.slots_offset + field, g.slot_count, g.slot_bytes);
  if (rows.size() != g.slot_count) return rows;
  const ch::slot_order row_of(g.slot_count, g.slot_bytes);
  for (std::uint64_t slot = 0; slot < g.slot_count; ++slot) {
    if (row_of(slot) > slot) std::swap(rows[slot], rows[row_of(slot)]);
  }
  return rows;
}

std::optional<channel_snapshot> look_once(const segment_file& file, const channel_constants& constants,
                                          std::string& why) {
  const ch::channel_geometry& g = constants.geometry;
  const auto h = std::make_unique<ch::channel_header>();
  channel_snapshot out;
  bool whole = read_header(file, *h);
  out.header = words_of(*h);
  const std::uint32_t waiters_high = out.header.waiters_high;
  if (whole && (h->participants_high > ch::kParticipants || waiters_high > ch::kWaiters ||
                h->close_reason_bytes > ch::kMaxReason)) {
    why = fmt::format("its tables are out of range ({} participants, {} waiters, {} bytes of reason)",
                      h->participants_high, waiters_high, h->close_reason_bytes);
    return std::nullopt;
  }
  if (whole) {
    out.close_reason.assign(h->close_reason, h->close_reason_bytes);
    out.participants =
        file.read_rows<participant_words>(g.participants_offset, h->participants_high, sizeof(ch::participant_entry));
    out.waiters = file.read_rows<waiter_words>(g.waiters_offset, waiters_high, sizeof(ch::waiter_entry));
    out.slots = read_slots<slot_words>(file, g, 0);
    if (!constants.items_fit_slots()) out.views = read_slots<std::uint64_t>(file, g, offsetof(ch::slot, view));
    out.blocks = file.read_rows<block_words>(g.block_table_offset, g.block_count, sizeof(ch::block_entry));
    whole = out.participants.size() == h->participants_high && out.waiters.size() == waiters_high &&
            out.slots.size() == g.slot_count && (out.views.empty() || out.views.size() == g.slot_count) &&
            out.blocks.size() == g.block_count;
  }
  if (!whole) {
    why = "the file became shorter while it was read";
    return std::nullopt;
  }
  return out;
}

/// Reads a row until it is twice the same. False: it changes all the time, or cannot be read.
template <class Row>
bool read_still(const segment_file& file, std::uint64_t offset, Row& row) {
  constexpr int kTries = 8;
  const auto bytes_of = [](Row& r) { return std::as_writable_bytes(std::span(&r, 1)); };
  for (int left = kTries; left > 0; --left) {
    Row again{};
    if (!file.read(offset, bytes_of(row)) || !file.read(offset, bytes_of(again))) return false;
    if (row == again) return true;
  }
  return false;
}

/// Marks the rows that differ between two looks, after trying to see each of them still, at `offset_of(its number)`.
template <class Row, class Offset>
std::vector<bool> find_moving(const segment_file& file, const std::vector<Row>& before, std::vector<Row>& after,
                              Offset&& offset_of) {
  std::vector<bool> moves(after.size(), false);
  for (std::size_t i = 0; i < after.size(); ++i) {
    moves[i] = before[i] != after[i] && !read_still(file, offset_of(i), after[i]);
  }
  return moves;
}

bool same(const channel_snapshot& a, const channel_snapshot& b) {
  return a.header == b.header && a.slots == b.slots && a.views == b.views && a.blocks == b.blocks &&
         a.participants == b.participants && a.waiters == b.waiters;
}

}  // namespace

std::optional<channel_constants> read_constants(const segment_file& file, std::uint32_t fixed_bytes, std::string& why) {
  if (file.file_bytes() < 2 * shm::kPage) {
    why = fmt::format("the file has {} bytes, fewer than a channel's header", file.file_bytes());
    return std::nullopt;
  }
  const auto h = std::make_unique<ch::channel_header>();
  if (!read_header(file, *h)) {
    why = "the channel's header cannot be read";
    return std::nullopt;
  }
  channel_constants out;
  const ch::channel_geometry says = ch::geometry_of(*h, file.file_bytes());
  out.geometry = says;
  out.max_item_bytes = h->max_item_bytes;
  out.idle_block_bytes = h->idle_block_bytes;
  out.fixed_bytes = fixed_bytes;
  if (!ch::lay_out(out.geometry)) {
    why = fmt::format("its geometry is impossible: capacity {}, {} slots of {} bytes, {} blocks of {} bytes",
                      says.capacity, says.slot_count, says.slot_bytes, says.block_count, says.block_stride);
    return std::nullopt;
  }
  if (out.geometry != says) {
    why = fmt::format(
        "its header contradicts itself: a channel of capacity {} with {} blocks of {} bytes has {} bytes "
        "and blocks from {} on, the header says {} and {}",
        says.capacity, says.block_count, says.block_stride, out.geometry.file_bytes, out.geometry.blocks_offset,
        says.file_bytes, says.blocks_offset);
    return std::nullopt;
  }
  if (!ch::suits_items(says, fixed_bytes)) {
    why = fmt::format("its items of {} bytes do not lie in slots of {} bytes and blocks of {}", fixed_bytes,
                      says.slot_bytes, says.block_stride);
    return std::nullopt;
  }
  if (out.max_item_bytes > says.block_stride) {
    why = fmt::format("its largest item, {} bytes, is larger than a block, {} bytes", out.max_item_bytes,
                      says.block_stride);
    return std::nullopt;
  }
  return out;
}

std::optional<channel_snapshot> take_snapshot(const segment_file& file, const channel_constants& constants, int looks,
                                              std::string& why) {
  const ch::channel_geometry& g = constants.geometry;
  std::optional<channel_snapshot> now = look_once(file, constants, why);
  for (int left = looks - 1; now && left > 0; --left) {
    std::optional<channel_snapshot> again = look_once(file, constants, why);
    if (!again) return std::nullopt;
    const bool settled = same(*now, *again);
    if (!settled && left == 1) {
      again->slot_moves =
          find_moving(file, now->slots, again->slots, [&](std::size_t i) { return g.offset_of_slot(i); });
      again->view_moves = find_moving(file, now->views, again->views,
                                      [&](std::size_t i) { return g.offset_of_slot(i) + offsetof(ch::slot, view); });
      again->block_moves = find_moving(file, now->blocks, again->blocks, [&](std::size_t i) {
        return g.block_table_offset + i * sizeof(ch::block_entry);
      });
    }
    now = std::move(again);
    now->settled = settled;
    if (settled) break;
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return now;
}

ticket_range find_tickets(const channel_snapshot& snapshot) {
  const auto count = static_cast<std::int64_t>(snapshot.slots.size());
  const std::uint64_t base = ch::turn_of(snapshot.slots.front().state);
  std::int64_t tail = std::numeric_limits<std::int64_t>::max();
  std::int64_t head = tail;
  std::int64_t last_tail = std::numeric_limits<std::int64_t>::min();
  std::int64_t last_head = last_tail;
  ticket_range out{snapshot.header.tail, snapshot.header.head, false};
  for (std::int64_t i = 0; i < count; ++i) {
    const ch::slot_state state = snapshot.slots[static_cast<std::size_t>(i)].state;
    const ch::phase phase = ch::phase_of(state);
    const std::int64_t ahead = ch::turns_ahead(state, base);
    if (ahead < -2 || ahead > 2) return out;  // at one instant the slots are no more than two turns apart
    // The tickets with which this slot is claimed next, counted from the first slot's turn on.
    const std::int64_t here = ahead * count + i;
    const std::int64_t put = phase == ch::phase::empty ? here : here + count;
    const std::int64_t take = ch::is_claimed_by_taker(phase) ? here + count : here;
    tail = std::min(tail, put);
    last_tail = std::max(last_tail, put);
    head = std::min(head, take);
    last_head = std::max(last_head, take);
  }
  // Slots are claimed in the order of their tickets, so the next ones are `count` in a row.
  out.fits = last_tail - tail < count && last_head - head < count;
  const auto unsigned_count = static_cast<std::uint64_t>(count);
  const auto absolute = [&](std::uint64_t hint, std::int64_t ticket) {
    const std::uint64_t hint_turn = hint / unsigned_count;
    const std::int64_t off = ch::turns_ahead(ch::make_state(base, ch::phase::empty), hint_turn);
    return (hint_turn + static_cast<std::uint64_t>(off)) * unsigned_count + static_cast<std::uint64_t>(ticket);
  };
  if (out.fits) {
    out.tail = absolute(snapshot.header.tail, tail);
    out.head = absolute(snapshot.header.head, head);
  }
  return out;
}

}  // namespace weir::inspect
