// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "channel/channel_layout.hpp"
#include "inspect/segment_file.hpp"
#include "segment/process_identity.hpp"

namespace weir::inspect {

/// What a channel's header holds that never changes; checked.
struct channel_constants {
  channels::channel_geometry geometry;
  std::uint64_t max_item_bytes = 0;
  std::uint64_t idle_block_bytes = 0;
  std::uint32_t fixed_bytes = 0;  // from the segment's header

  /// Slots hold bare items then: only their first word means anything.
  [[nodiscard]] bool items_fit_slots() const noexcept {
    return channels::lie_in_slots(fixed_bytes, geometry.slot_bytes);
  }
  /// Of the other channels: room in a slot.
  [[nodiscard]] std::size_t slot_item_bytes() const noexcept { return geometry.slot_bytes - channels::kPiece; }
};

// The words of channel_layout.hpp that change, copied out; the first members of its structs.
struct slot_words {
  std::uint64_t state;
  std::uint64_t meta;
  friend bool operator==(const slot_words&, const slot_words&) = default;
};
struct block_words {
  std::uint64_t word;
  std::uint64_t bytes;
  std::uint64_t reserved;
  std::uint64_t ticket;
  std::uint64_t flags;
  friend bool operator==(const block_words&, const block_words&) = default;
};
struct participant_words {
  shm::process_identity who;
  std::uint32_t used;
  std::uint32_t process;
  std::int64_t attached_ns;
  friend bool operator==(const participant_words&, const participant_words&) = default;
};
struct waiter_words {
  std::uint32_t word;
  std::uint32_t unused0;
  std::int32_t thread;
  std::uint32_t unused1;
  std::int64_t since_ns;
  std::int64_t until_ns;
  friend bool operator==(const waiter_words&, const waiter_words&) = default;
};
struct binding_words {
  shm::process_identity who;
  std::uint32_t process;
  std::uint32_t used;
  friend bool operator==(const binding_words&, const binding_words&) = default;
};
/// A robust_mutex, as glibc and the kernel leave it.
struct lock_words {
  std::uint32_t word = 0;  // the futex: thread, FUTEX_WAITERS, FUTEX_OWNER_DIED
  std::int32_t owner = 0;  // glibc's copy of the thread, which outlives it
  std::int32_t kind = 0;
  std::uint32_t damaged = 0;
  friend bool operator==(const lock_words&, const lock_words&) = default;
};
struct header_words {
  std::uint32_t closed = 0;
  std::uint32_t orphans = 0;
  std::int32_t pins = 0;
  std::uint32_t blanks_made = 0;
  std::uint32_t item_sleepers = 0;
  std::uint32_t room_sleepers = 0;
  std::uint32_t block_sleepers = 0;
  std::uint32_t participants_high = 0;
  std::uint32_t waiters_high = 0;
  std::uint32_t close_process = 0;
  std::uint32_t close_reason_bytes = 0;
  std::uint64_t tail = 0;
  std::uint64_t head = 0;
  lock_words lock;
  std::array<binding_words, channels::kBindings> bindings{};
  friend bool operator==(const header_words&, const header_words&) = default;
};

/// All of a channel but its items.
struct channel_snapshot {
  header_words header;
  std::string close_reason;
  std::vector<participant_words> participants;  // entry 0, which is nobody, too
  std::vector<waiter_words> waiters;
  std::vector<slot_words> slots;
  std::vector<std::uint64_t> views;  // the slots' words for views; none where items fit the slots
  std::vector<block_words> blocks;
  // Of the slots, views and blocks: not seen twice the same. Empty: all of them were.
  std::vector<bool> slot_moves;
  std::vector<bool> view_moves;
  std::vector<bool> block_moves;
  bool settled = false;  // everything was seen twice the same, so it was so at one instant: turns never come back

  [[nodiscard]] bool is_whole_slot(std::size_t i) const noexcept { return slot_moves.empty() || !slot_moves[i]; }
  [[nodiscard]] bool is_whole_view(std::size_t i) const noexcept { return view_moves.empty() || !view_moves[i]; }
  [[nodiscard]] bool is_whole_block(std::size_t i) const noexcept { return block_moves.empty() || !block_moves[i]; }
};

/// Reads and checks the header; `why` says what is wrong with it.
[[nodiscard]] std::optional<channel_constants> read_constants(const segment_file& file, std::uint32_t fixed_bytes,
                                                              std::string& why);

/// Reads everything once (`looks` 1) or until two looks in a row, of `looks` at most, agree. Nothing: the file became
/// shorter, or its tables' lengths are out of range; `why` says it.
[[nodiscard]] std::optional<channel_snapshot> take_snapshot(const segment_file& file,
                                                            const channel_constants& constants, int looks,
                                                            std::string& why);

/// The tickets of the next put and take, as the slots show them; the hints of the header decide only the upper bits.
struct ticket_range {
  std::uint64_t tail = 0;
  std::uint64_t head = 0;
  bool fits = false;  // the slots' turns are those of a ring at one instant
};
[[nodiscard]] ticket_range find_tickets(const channel_snapshot& snapshot);

}  // namespace weir::inspect
