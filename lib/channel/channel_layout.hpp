// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "segment/header_layout.hpp"
#include "segment/process_identity.hpp"
#include "sync/robust_mutex.hpp"

/// The bytes of a channel's segment, layout 1. All offsets are from the segment's first byte.
///      0  shm::segment_header
///   4096  channel_header
///   8192  participants   one entry for each process that is attached (64 B each, kParticipants; pages on first use)
///    ...  waiters        one entry for each thread that sleeps in an operation (64 B each, kWaiters; likewise)
///    ...  slots          slot_count of slot_bytes each
///    ...  block table    block_count entries of 64 B
///    ...  blocks         block_count stretches of block_stride bytes, sparse
/// A file of zeros is an empty, open channel, so creation writes constants only.
namespace weir::channels {

inline constexpr std::size_t kLine = 64;
inline constexpr std::size_t kApart =
    128;  // what different sides write lies so far apart: two lines are fetched at once
inline constexpr std::uint32_t kParticipants = 4096;  // entry 0 is never used: owner 0 is nobody
inline constexpr std::uint32_t kWaiters = 4096;
inline constexpr std::uint32_t kBindings = 8;
inline constexpr std::size_t kMaxReason = 1024;

// ------------------------------------------------------------------------------------------------------------- slots

// A slot's 64-bit state: turn (48 bits) | phase (4 bits) | owner (12 bits: a participant). Ticket t, the t-th put, uses
// slot t % slot_count in turn t / slot_count. Whoever changes a phase does it by one compare-and-swap that names him.
//
//   empty(turn) --putter--> writing(turn, me) --putter--> full(turn) --taker--> reading(turn, me) --taker--> empty(turn+1)
//   writing(turn, me)   --putter, the channel was closed meanwhile--> blank(turn)
//   writing(turn, dead) --recovery--> blank(turn)     the put never returned: it has not happened
//   full(turn)          --putter of a rendezvous that nobody came to--> blank(turn)
//   blank(turn)         --taker or putter, when it is the oldest--> empty(turn+1)
//   reading(turn, dead) --recovery--> orphan(turn)    the take never returned: the next taker gets the item first
//   orphan(turn)        --taker, under the lock--> reading(turn, me)
//
// A blank slot behind full ones would take away from the capacity until the ones before it were taken, so recovery moves
// those up, under the lock, the nearest first, from slot p to the next, which is blank:
//   full(turn) --recovery--> moving(turn, me), the next: blank(turn') --recovery--> writing(turn', me); copy;
//   writing(turn', me) --recovery--> full(turn')   from here on the item is in the next slot;   moving --> blank(turn)
//   moving(turn, dead) --recovery--> full(turn) if the next slot is not full yet, else blank(turn)
// Takers cannot pass a moving slot, so the next one stays full until then.
//
// release: every store of full and empty(turn+1); acquire: the load that precedes each claim (ring.hpp).
enum class phase : std::uint64_t { empty = 0, writing = 1, full = 2, reading = 3, blank = 4, orphan = 5, moving = 6 };

using slot_state = std::uint64_t;
constexpr slot_state make_state(std::uint64_t turn, phase p, std::uint32_t owner = 0) noexcept {
  return (turn << 16U) | (static_cast<std::uint64_t>(p) << 12U) | owner;
}
constexpr std::uint64_t turn_of(slot_state s) noexcept { return s >> 16U; }
constexpr phase phase_of(slot_state s) noexcept { return static_cast<phase>((s >> 12U) & 0xfU); }
constexpr std::uint32_t owner_of(slot_state s) noexcept { return static_cast<std::uint32_t>(s & 0xfffU); }
/// Turns that `s` is ahead of `turn`; negative: behind. Right across the wrap-around of 48 bits.
constexpr std::int64_t turns_ahead(slot_state s, std::uint64_t turn) noexcept {
  return static_cast<std::int64_t>((s & ~std::uint64_t{0xffff}) - (turn << 16U)) >> 16U;
}
static_assert(kParticipants <= 0x1000);

// A slot's second word, written by the putter between writing and full: block (32 bits, kNoBlock: the item lies in the
// slot) | flags (16 bits) | bytes in the slot (16 bits). Not written in channels whose items all lie in their slots.
inline constexpr std::uint32_t kNoBlock = 0xffffffff;
inline constexpr std::uint64_t kHasReferences = 1;
constexpr std::uint64_t make_meta(std::uint32_t block, std::uint64_t flags, std::size_t bytes) noexcept {
  return (std::uint64_t{block} << 32U) | (flags << 16U) | bytes;
}
constexpr std::uint32_t meta_block(std::uint64_t meta) noexcept { return static_cast<std::uint32_t>(meta >> 32U); }
constexpr std::uint64_t meta_flags(std::uint64_t meta) noexcept { return (meta >> 16U) & 0xffffU; }
constexpr std::size_t meta_bytes(std::uint64_t meta) noexcept { return meta & 0xffffU; }

// byte 0 state, 8 meta, 16 the item (slot_bytes - 16). A putter that dies while writing leaves anything in 8 and 16.
struct slot {
  std::atomic<slot_state> state;
  std::atomic<std::uint64_t> meta;
};
inline constexpr std::size_t kSlotItem = sizeof(slot);
static_assert(sizeof(slot) == 16 && offsetof(slot, meta) == 8);

// ------------------------------------------------------------------------------------------------------------ blocks

// A block's word: phase (8 bits) << 32 | owner (a participant, 12 bits).
//
//   free --putter--> held(me): being filled or lent; stays so when a full slot names it
//   held(any)/queued --taker, the slot that names it being reading(me)--> taken(me) --taker--> free
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

// An attached process. byte 0 who, 16 used (last when entering, first when leaving), 20 process id in its session,
// 24 attached_ns (real time). Written by the process itself, or by recovery, under the lock. A process that dies here
// leaves an entry that is either unused or recovered.
struct participant_entry {
  shm::process_identity who;
  std::atomic<std::uint32_t> used;
  std::uint32_t process;
  std::int64_t attached_ns;
  std::uint64_t unused[4];
};
static_assert(sizeof(participant_entry) == kLine && offsetof(participant_entry, used) == 16);

enum class waits_for : std::uint32_t { nothing = 0, item = 1, room = 2, block = 3, pickup = 4 };

// A sleeping thread. byte 0 what (nothing: entry unused), 4 participant, 8 thread id, 16 since_ns and 24 until_ns
// (monotonic clock; until 0: no end). Written by the thread itself, or by recovery, under the lock; `what` last when
// entering, first when leaving. The sleepers of the event that belongs to `what` count exactly the used entries; a
// process that dies between the two leaves the lock to be repaired, which counts anew.
struct waiter_entry {
  std::atomic<waits_for> what;
  std::uint32_t participant;
  std::int32_t thread;
  std::uint32_t unused0;
  std::int64_t since_ns;
  std::int64_t until_ns;
  std::uint64_t unused[4];
};
static_assert(sizeof(waiter_entry) == kLine && offsetof(waiter_entry, since_ns) == 16);

// Something to sleep on. Whoever makes it true looks at `sleepers` afterwards (both sequentially consistent), adds one
// to `epoch` and wakes; sleepers register under the lock, look once more, and sleep while the epoch stays.
// A waker that dies between the two costs the sleepers one bounded sleep.
struct event {
  std::atomic<std::uint32_t> epoch;     // the futex word
  std::atomic<std::uint32_t> sleepers;  // changed under the lock only
};
static_assert(sizeof(event) == 8);

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
//  696  participants_high, 700 waiters_high   entries from here on were never used; under the lock
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
  std::uint32_t waiters_high;
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
  friend bool operator==(const channel_geometry&, const channel_geometry&) = default;
};
/// Fills in the offsets and the file's length; false if they do not fit 63 bits.
bool lay_out(channel_geometry& g) noexcept;
/// The numbers that a header gives.
channel_geometry geometry_of(const channel_header& h, std::uint64_t file_bytes) noexcept;

}  // namespace weir::channels
