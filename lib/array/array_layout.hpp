// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "segment/header_layout.hpp"
#include "segment/process_identity.hpp"
#include "sync/robust_mutex.hpp"
#include "sync/shared_event.hpp"
#include "weir/array_options.hpp"

namespace weir::arrays {

inline constexpr std::uint32_t kSeats = 1023;  // processes that have one array at a time
inline constexpr std::size_t kSeatBytes = 64;
inline constexpr std::size_t kApart = 128;  // two lines: the hardware fetches them in pairs
inline constexpr std::size_t kMostPath = 2048;

// An array, layout 1. Follows the segment_header. All offsets count from the beginning of the file.
// byte  field             who writes it, and under what
//    0  rank, 4 order     creator; constant
//    8  element_bytes     creator; constant
//   16  data_offset       creator; where the elements lie: in this segment, a multiple of kStagger behind kDataOffset, less
//                         than a page; or (file_bound) in the other file, there anywhere
//   24  row_bytes         creator; bytes of one row: of elements that share their first index. 0: the rows lie apart
//   32  max_rows          creator; the segment (or the mapping of the file) has room for so many
//   40  extents[8]        creator; constant, but that [0] is only what the array began with
//  128  rows              the first extent now. Under `resizing`; a release store, the only one, commits a change. Rows
//                         below it have memory. Growing: memory is zeroed and reserved first; a death before the store
//                         leaves memory beyond the rows, which the next one that grows zeroes again, or nobody needs.
//                         Shrinking: memory is given back after; a death before that likewise.
//  136  seats_high        seats below it were in use at some time; only grows, after the seat has been described
//  140  pins              references under way; +1 by who sends one, -1 by who has received it. A death in between leaves
//                         it too high: the session's end removes the array.
//  192  resizing          robust mutex: one resizes at a time. Nothing to undo after a death (see rows)
//  256  gate              robust mutex: held by whoever has locked the array alone, all the while, and for a moment by
//                         those who came to share it meanwhile
//  384  writer            1: the holder of the gate has the array alone, or is waiting for the last of those who share it.
//                         Written by the holder of the gate. Found 1 by one who has just got the gate: its last holder died.
//  388  owner_died        1: one who had the array alone has died; set by the next holder of the gate before it sets or
//                         clears `writer`; cleared by whoever asks (array_mutex::owner_died)
//  392  drained           event: somebody has stopped sharing while `writer` was 1
//  512  file_bound        1: the elements lie in an ordinary file; data_offset counts there
//  516  path_bytes        and its path, cut at 2,047 bytes, for people
//  520  file_device, 528 file_number   of that file
// 1024  path
struct array_header {
  std::uint32_t rank;
  weir::order order;
  std::uint64_t element_bytes;
  std::uint64_t data_offset;
  std::uint64_t row_bytes;
  std::uint64_t max_rows;
  std::uint64_t extents[kMaxRank];

  alignas(kApart) std::atomic<std::uint64_t> rows;
  std::atomic<std::uint32_t> seats_high;
  std::atomic<std::int32_t> pins;
  alignas(64) sync::robust_mutex resizing;

  alignas(kApart) sync::robust_mutex gate;
  alignas(kApart) std::atomic<std::uint32_t> writer;
  std::atomic<std::uint32_t> owner_died;
  sync::shared_event drained;

  alignas(kApart) std::uint32_t file_bound;
  std::uint32_t path_bytes;
  std::uint64_t file_device;
  std::uint64_t file_number;
  alignas(1024) char path[kMostPath];
};
static_assert(std::is_standard_layout_v<array_header> && std::is_trivially_destructible_v<array_header>);
static_assert(offsetof(array_header, data_offset) == 16 && offsetof(array_header, row_bytes) == 24);
static_assert(offsetof(array_header, max_rows) == 32 && offsetof(array_header, extents) == 40);
static_assert(offsetof(array_header, rows) == 128 && offsetof(array_header, seats_high) == 136);
static_assert(offsetof(array_header, pins) == 140 && offsetof(array_header, resizing) == 192);
static_assert(offsetof(array_header, gate) == 256 && offsetof(array_header, writer) == 384);
static_assert(offsetof(array_header, owner_died) == 388 && offsetof(array_header, drained) == 392);
static_assert(offsetof(array_header, file_bound) == 512 && offsetof(array_header, path_bytes) == 516);
static_assert(offsetof(array_header, file_number) == 528 && offsetof(array_header, path) == 1024);
static_assert(sizeof(array_header) <= shm::kPage);

// A process that has the array holds a seat: a lock (of the open file, fcntl(2)) on the seat's byte of the segment file,
// which the kernel lets go of when the process has died, whatever pid namespace it was in. What follows says who it is.
//
//   free --newcomer: locks the byte, describes itself, then +1 to the generation--> held --it leaves, or has died--> free
//
// A seat is left as it is: that its byte is not locked says that nobody has it. One who dies between locking and
// describing leaves the description, and the generation, of the one before.
// byte  field          who writes it
//    0  who            newcomer, holding the byte
//   16  attached_ns    newcomer: when, nanoseconds of the real-time clock
//   24  process        newcomer: its number in its session
//   32  shares         generation << 32 | how many threads of it share the array's lock. By the holder of the seat; by a
//                      holder of the gate, who takes off what a dead one has left: the generation tells it from a newcomer's
struct seat {
  shm::process_identity who;
  std::int64_t attached_ns;
  std::uint32_t process;
  std::uint32_t unused0;
  std::atomic<std::uint64_t> shares;
  std::uint64_t unused1[3];
};
static_assert(sizeof(seat) == kSeatBytes && offsetof(seat, shares) == 32);
static_assert(std::is_standard_layout_v<seat> && std::is_trivially_destructible_v<seat>);

constexpr std::uint32_t sharers_of(std::uint64_t shares) noexcept { return static_cast<std::uint32_t>(shares); }
constexpr std::uint64_t generation_of(std::uint64_t shares) noexcept { return shares >> 32U; }
constexpr std::uint64_t next_generation(std::uint64_t shares) noexcept { return (generation_of(shares) + 1) << 32U; }

inline constexpr std::size_t kHeaderOffset = shm::kPage;
inline constexpr std::size_t kSeatsOffset = 2 * shm::kPage;
inline constexpr std::size_t kDataOffset = kSeatsOffset + (std::size_t{kSeats} + 1) * kSeatBytes;
static_assert(kDataOffset % shm::kPage == 0);
/// Large arrays begin at different places in their first page, in turn: a CPU compares the lower 12 bits of what it loads
/// and of what it is about to store, and waits where they agree, as they would all through `a[i] = b[i]`.
inline constexpr std::size_t kStagger = 1024;
inline constexpr std::size_t kStaggeredFrom = 16 * shm::kPage;  // of smaller ones a page more would be much
/// The byte that stands for a seat.
constexpr std::size_t byte_of_seat(std::uint32_t seat) noexcept { return kSeatsOffset + seat * kSeatBytes; }

/// What never changes in an array's header, and was found right; a copy, since the header may be damaged later.
struct checked_constants {
  std::uint32_t rank = 0;
  weir::order order = weir::order::row_major;
  std::uint64_t element_bytes = 0;
  std::uint64_t data_offset = 0;
  std::uint64_t row_bytes = 0;  ///< 0: rows cannot be resized
  std::uint64_t max_rows = 0;
  std::uint64_t per_row = 0;  ///< bytes for each unit of the first extent: all elements take rows * this
  std::uint64_t extents[kMaxRank] = {};
  bool file_bound = false;
};

/// Bytes that the elements take with so many rows.
constexpr std::uint64_t bytes_of(const checked_constants& c, std::uint64_t rows) noexcept { return rows * c.per_row; }

/// What keeps a header from being one that a creator has written; null: nothing. If so `out` is what can be relied upon.
/// `file_bytes`: of the segment.
const char* contradiction_in(const array_header& h, std::uint64_t file_bytes, checked_constants& out) noexcept;

}  // namespace weir::arrays
