// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "segment/header_layout.hpp"
#include "segment/process_identity.hpp"
#include "sync/robust_mutex.hpp"
#include "weir/detail/slot_layout.hpp"

/// The bytes of a channel's segment, layout 4. All offsets are from the segment's first byte.
///      0  shm::segment_header
///   4096  channel_header
///   8192  participants   one entry for each process that is attached (64 B each, kParticipants; pages on first use)
///    ...  waiters        one entry for each thread that sleeps in an operation (64 B each, kWaiters; likewise)
///    ...  slots          slot_count of slot_bytes each, in the order that slot_order says
///    ...  block table    block_count entries of 64 B
///    ...  blocks         block_count stretches of block_stride bytes, sparse
/// A file of zeros is an empty, open channel, so creation writes constants only.
namespace weir::channels {

inline constexpr std::uint32_t kWaiters = 4096;
inline constexpr std::uint32_t kBindings = 8;
inline constexpr std::size_t kMaxReason = 1024;

// ------------------------------------------------------------------------------------------------------------ blocks

// A block's word: phase (8 bits) << 32 | owner (a participant, 12 bits).
//
//   free --putter--> held(me): being filled or lent; stays so when a full slot names it
//   held(any)/queued --taker, the slot that names it being reading(me)--> taken(me) --taker--> free
//   taken(me) --taker, before it gives memory of the block back--> held(me) --taker--> free
//   held(any)/queued --putter of a rendezvous that takes its orphaned item back, under the lock--> held(me)
//   held(dead) --recovery--> queued if a full, reading or orphan slot names it, else free
//   taken(dead) --recovery--> queued if the slot that names it is reading(dead), else orphan
//   orphan --taker, under the lock--> taken(me)       taken(me) --taker gives back, under the lock--> orphan
enum class block_phase : std::uint64_t { free = 0, held = 1, taken = 2, queued = 3, orphan = 4 };
constexpr std::uint64_t make_block_word(block_phase p, std::uint32_t owner = 0) noexcept {
  return (static_cast<std::uint64_t>(p) << 32U) | owner;
}
constexpr block_phase phase_of_block(std::uint64_t word) noexcept { return static_cast<block_phase>(word >> 32U); }
constexpr std::uint32_t owner_of_block(std::uint64_t word) noexcept {
  return static_cast<std::uint32_t>(word & 0xfffU);
}

// byte  field      writer
//    0  word       see above; free is stored with release and claimed with acquire
//    8  bytes      length of the item; who holds it, before the slot is published
//   16  reserved   bytes of the stretch that have memory; who holds it, after the reservation (dying between leaves
//                  memory reserved that is reserved again: no harm)
//   24  ticket     of the item; the taker, before the word says taken
//   32  flags      kHasReferences; as bytes
struct block_entry {
  std::atomic<std::uint64_t> word;
  std::atomic<std::uint64_t> bytes;
  std::atomic<std::uint64_t> reserved;
  std::atomic<std::uint64_t> ticket;
  std::atomic<std::uint64_t> flags;
  std::uint64_t unused[3];
};
static_assert(sizeof(block_entry) == kLine && offsetof(block_entry, flags) == 32);

// ------------------------------------------------------------------------------------------- participants and waiters

// An attached process. byte 0 who, 16 used (last when entering, first when leaving; kShowsLife: the entry's first byte
// is its sign of life, see shm::segment), 20 process id in its session, 24 attached_ns (real time). By the process
// itself, or by recovery, under the lock. A process that dies here leaves an entry that is either unused or recovered.
struct participant_entry {
  shm::process_identity who;
  std::atomic<std::uint32_t> used;
  std::uint32_t process;
  std::int64_t attached_ns;
  std::uint64_t unused[4];
};
static_assert(sizeof(participant_entry) == kLine && offsetof(participant_entry, used) == 16);

inline constexpr std::uint32_t kUsed = 1;
inline constexpr std::uint32_t kShowsLife = 2;

enum class waits_for : std::uint32_t { nothing = 0, item = 1, room = 2, block = 3, pickup = 4 };

// A sleeping thread. byte 0 word, 8 thread id, 16 since_ns and 24 until_ns (monotonic clock; until 0: no end).
// word: participant << 8 | stage << 4 | what it waits for. 0: unused.
//   0 --thread--> entering(me) --thread, when the event counts it--> counted --thread--> leaving --thread, no longer
//   counted--> 0
//   any stage, of the dead --recovery, which takes a counted one off its event after making it leaving--> 0
// A thread that dies while entering or leaving may leave its event with one sleeper too many (see `event`).
enum class waiter_stage : std::uint32_t { entering = 1, counted = 2, leaving = 3 };
constexpr std::uint32_t make_waiter(std::uint32_t participant, waiter_stage stage, waits_for what) noexcept {
  return (participant << 8U) | (static_cast<std::uint32_t>(stage) << 4U) | static_cast<std::uint32_t>(what);
}
constexpr std::uint32_t participant_of_waiter(std::uint32_t word) noexcept { return word >> 8U; }
constexpr waiter_stage stage_of_waiter(std::uint32_t word) noexcept {
  return static_cast<waiter_stage>((word >> 4U) & 0xfU);
}
constexpr waits_for waited_for(std::uint32_t word) noexcept { return static_cast<waits_for>(word & 0xfU); }
struct waiter_entry {
  std::atomic<std::uint32_t> word;
  std::uint32_t unused0;
  std::int32_t thread;
  std::uint32_t unused1;
  std::int64_t since_ns;
  std::int64_t until_ns;
  std::uint64_t unused2[4];
};
static_assert(sizeof(waiter_entry) == kLine && offsetof(waiter_entry, thread) == 8);
static_assert(offsetof(waiter_entry, since_ns) == 16);

// Processes whose end closes the channel. Written under the lock, `used` last.
struct binding_entry {
  shm::process_identity who;
  std::uint32_t process;
  std::uint32_t used;  // 0 no, 1 close_when_gone, 2 the channel lives with it
};
static_assert(sizeof(binding_entry) == 24);

// Why a channel is closed. open is 0.
enum class closing : std::uint32_t { open = 0, plain = 1, reason = 2, host_ended = 3 };

// --------------------------------------------------------------------------------------------------------- the header

// byte  field            who writes it, and under what
//    0  constants        the creator, before the magic; they never change
//  128  closed           closing; once, under the lock, after close_* below (sequentially consistent: a putter that has
//                        claimed a slot looks at it again, a taker that sees it and then no claim knows none will come)
//  132  orphans          orphan slots and blocks; under the lock. Death in between: counted anew by the repair
//  136  pins             references under way; atomic add and subtract. Death after adding keeps an unnamed channel
//                        until its session ends
//  140  blanks_made      1 once recovery or a closing put has made a blank: size() then counts slot by slot
//  256  not_empty        event: an item came, or the channel was closed
//  384  not_full         event: a slot became free, or closed
//  512  block_freed      event: a block became free, or closed
//  640  mutex            robust; guards participants, waiters, sleepers, orphans, bindings, closed and recovery
//  688  looked_ns        monotonic time of the last look for dead participants; whoever looks
//  696  participants_high   entries from here on were never used; under the lock
//  700  waiters_high     likewise; grows by compare-and-swap, after the memory of the entry was reserved
//  704  close_process, 708 close_status (wait status), 712 close_status_known, 716 close_reason_bytes   under the lock
//  768  bindings         under the lock
// 1024  close_reason     under the lock, before closed
// 2048  tail             hint: no more than the number of slots claimed by putters; any putter, relaxed
// 2176  head             hint: no more than the number of slots claimed by takers; any taker, relaxed
//       Both may lag, or be stored back by a slow process; the slots' states decide, and who sees them lag moves them on.
struct channel_header {
  std::uint64_t capacity;
  std::uint64_t slot_count;  // capacity, or 1 for capacity 0
  std::uint64_t block_stride;
  std::uint64_t max_item_bytes;
  std::uint64_t idle_block_bytes;
  std::uint64_t participants_offset;
  std::uint64_t waiters_offset;
  std::uint64_t slots_offset;
  std::uint64_t block_table_offset;
  std::uint64_t blocks_offset;
  std::uint32_t slot_bytes;
  std::uint32_t block_count;
  std::uint64_t unused0[5];

  alignas(kApart) std::atomic<std::uint32_t> closed;
  std::atomic<std::uint32_t> orphans;
  std::atomic<std::int32_t> pins;
  std::atomic<std::uint32_t> blanks_made;

  alignas(kApart) event not_empty;
  alignas(kApart) event not_full;
  alignas(kApart) event block_freed;

  alignas(kApart) sync::robust_mutex mutex;
  std::atomic<std::int64_t> looked_ns;
  std::uint32_t participants_high;
  std::atomic<std::uint32_t> waiters_high;
  std::uint32_t close_process;
  std::int32_t close_status;
  std::uint32_t close_status_known;
  std::uint32_t close_reason_bytes;

  alignas(kApart) binding_entry bindings[kBindings];
  alignas(kApart) char close_reason[kMaxReason];
  alignas(kApart) std::atomic<std::uint64_t> tail;
  alignas(kApart) std::atomic<std::uint64_t> head;
};
static_assert(std::is_standard_layout_v<channel_header> && std::is_trivially_destructible_v<channel_header>);
static_assert(offsetof(channel_header, slot_bytes) == 80 && offsetof(channel_header, closed) == 128);
static_assert(offsetof(channel_header, orphans) == 132 && offsetof(channel_header, pins) == 136);
static_assert(offsetof(channel_header, blanks_made) == 140 && offsetof(channel_header, not_empty) == 256);
static_assert(offsetof(channel_header, not_full) == 384 && offsetof(channel_header, block_freed) == 512);
static_assert(offsetof(channel_header, mutex) == 640 && offsetof(channel_header, looked_ns) == 688);
static_assert(offsetof(channel_header, participants_high) == 696 && offsetof(channel_header, close_process) == 704);
static_assert(offsetof(channel_header, close_reason_bytes) == 716 && offsetof(channel_header, bindings) == 768);
static_assert(offsetof(channel_header, close_reason) == 1024 && offsetof(channel_header, tail) == 2048);
static_assert(offsetof(channel_header, head) == 2176 && sizeof(channel_header) <= shm::kPage);

/// Where everything lies, from the few numbers that decide it. Used by the creator, and by openers to check.
struct channel_geometry {
  std::uint64_t capacity = 0;
  std::uint64_t slot_count = 0;
  std::uint64_t block_stride = 0;
  std::uint32_t slot_bytes = 0;
  std::uint32_t block_count = 0;
  std::uint64_t participants_offset = 0;
  std::uint64_t waiters_offset = 0;
  std::uint64_t slots_offset = 0;
  std::uint64_t block_table_offset = 0;
  std::uint64_t blocks_offset = 0;
  std::uint64_t file_bytes = 0;
  /// Where slot `index`, of slot_count, lies.
  [[nodiscard]] std::uint64_t offset_of_slot(std::uint64_t index) const noexcept {
    return slots_offset + slot_order(slot_count, slot_bytes)(index) * slot_bytes;
  }
  friend bool operator==(const channel_geometry&, const channel_geometry&) = default;
};
inline constexpr std::size_t kMostFixedSlotBytes = 4 * kLine;  // of slots for items that all have one size
/// Whether items that all have `fixed_bytes` (0: they do not) lie in slots of that size; if not, the slots are those of
/// items of any size.
constexpr bool lie_in_slots(std::size_t fixed_bytes, std::size_t slot_bytes) noexcept {
  return fixed_bytes != 0 && fixed_bytes + kFixedItem <= slot_bytes;
}
/// Fills in the offsets and the file's length; false if they do not fit 63 bits.
bool lay_out(channel_geometry& g) noexcept;
/// The numbers that a header gives.
channel_geometry geometry_of(const channel_header& h, std::uint64_t file_bytes) noexcept;
/// What keeps a header from being one that a creator has written; null: nothing. Reads none of it in a shorter file.
const char* contradiction_in(const channel_header& h, std::uint64_t file_bytes) noexcept;
/// Whether slots and blocks are such as items that all have `fixed_bytes` (0: they do not) are given.
bool suits_items(const channel_geometry& g, std::size_t fixed_bytes) noexcept;

/// What never changes in a channel's header, and was found right; a copy, since the header itself may be damaged later.
struct checked_constants {
  channel_geometry geometry;
  std::uint64_t max_item_bytes = 0;
  std::uint64_t idle_block_bytes = 0;
  std::uint32_t fixed_bytes = 0;  // from the segment's header
};

}  // namespace weir::channels
