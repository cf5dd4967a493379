// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "segment/header_layout.hpp"

/// The bytes of what one process of a session has recorded (segment `@REALM.trace.PROCESS`), layout 1. Offsets are from
/// the segment's first byte.
///       0  shm::segment_header   its creator is the process that records
///    4096  trace_header
///    8192  thread_headers        one for each of kRings rings
///   12288  names                 what the numbers in the records stand for
///  143360  rings                 kRecords records each, sparse: a ring has memory once a thread has taken it
/// It stays when its process has died, and when its session has ended: who reads it needs nothing else.
namespace weir::trace {

inline constexpr std::size_t kRings = 64;           // threads that record at a time
inline constexpr std::size_t kRecords = 1U << 15U;  // of a ring: 1 MiB
inline constexpr std::size_t kNames = 1024;

// byte  field         who writes it, and under what
//    0  process       the creator, before the magic; constant afterwards (so are `program` and real_offset_ns)
//    4  on            the process: 1 while it records
//    8  follows       the process, after `on` and `on_since_ns`: the session's switch as it has been obeyed
//   12  refused       the process: threads that found no ring or no memory for one; only grows
//   16  on_since_ns   the process: monotonic clock, when it last began to record; what is older is of an earlier time
//   24  names         the process, one thread at a time, with release: entries below it are whole and constant
//   32  real_offset_ns  real-time clock less the monotonic one when this was made
//   40  program       the program's short name, NUL
// A process that dies leaves all of it as it is: `on` says then that it was recording when it died.
struct trace_header {
  std::uint32_t process;
  std::atomic<std::uint32_t> on;
  std::atomic<std::uint32_t> follows;
  std::atomic<std::uint32_t> refused;
  std::atomic<std::int64_t> on_since_ns;
  std::atomic<std::uint32_t> names;
  std::uint32_t unused0;
  std::int64_t real_offset_ns;
  char program[24];
};
static_assert(std::is_standard_layout_v<trace_header> && std::is_trivially_destructible_v<trace_header>);
static_assert(offsetof(trace_header, on_since_ns) == 16 && offsetof(trace_header, names) == 24);
static_assert(offsetof(trace_header, program) == 40 && sizeof(trace_header) == 64);

// byte  field    who writes it, and under what
//    0  head     the ring's thread, release: how many records it has written, ever; the last kRecords of them are there,
//                but for the oldest, whose place the next is written to. It is the last store of a record
//    8  thread   whoever takes the ring, under the process's lock: the kernel's number of the thread that has it, or had
//   12  used     the same: 1 while a thread has it; 0 when that has ended
struct alignas(64) thread_header {
  std::atomic<std::uint64_t> head;
  std::atomic<std::int32_t> thread;
  std::atomic<std::uint32_t> used;
};
static_assert(offsetof(thread_header, thread) == 8 && sizeof(thread_header) == 64);

enum class name_kind : std::uint32_t { channel = 1, function = 2, array = 3 };

// byte  field    meaning
//    0  key      of a channel or array its file's number, of a function its address in the process
//    8  kind     name_kind
//   12  bytes    length of the text
//   16  text     cut off where it is too long
struct name_entry {
  std::uint64_t key;
  name_kind kind;
  std::uint32_t bytes;
  char text[112];
};
static_assert(offsetof(name_entry, text) == 16 && sizeof(name_entry) == 128);

enum class event_kind : std::uint8_t {
  none = 0,
  put = 1,         // recorded by the putter before a taker can see the item
  take = 2,        // recorded by the taker when it has the item
  wait_begin = 3,  // a thread goes to sleep in weir
  wait_end = 4,
  call = 5,  // recorded by the caller before the message is in the callee's inbox
  run_begin = 6,
  run_end = 7,
  answer = 8,  // the result is stored
  thread = 9,  // another thread has taken the ring
  moved = 10,  // recovery has closed a gap: the item of that ticket has the next one from now on
};
inline constexpr std::uint8_t kLastEventKind = 10;

// byte  field     put, take, moved  wait_…           call                run_…, answer       thread
//    0  time_ns   monotonic clock, all of them; of one ring never less than that of the record before
//    8  number    ticket            0                number of the call  likewise            0
//   16  object    channel's key     what it is of    function's key      likewise, answer 0  thread before it
//   24  peer      0                 0                callee              caller              thread
//   28  sequence  low bits of the record's index, all of them
//   30  kind      event_kind
//   31  detail    0                 sync::wait_kind  0                   run_end: 1 it threw 0
// A put and its take have the same object and number; a call and its run the same caller, callee and number. Two channels
// never have the same number as long as one of them is there.
struct event_record {
  std::int64_t time_ns;
  std::uint64_t number;
  std::uint64_t object;
  std::uint32_t peer;
  std::uint16_t sequence;
  event_kind kind;
  std::uint8_t detail;
};
static_assert(std::is_trivially_copyable_v<event_record> && std::is_standard_layout_v<event_record>);
static_assert(offsetof(event_record, peer) == 24 && offsetof(event_record, kind) == 30 && sizeof(event_record) == 32);

inline constexpr std::size_t kTraceHeaderOffset = shm::kPage;
inline constexpr std::size_t kThreadsOffset = 2 * shm::kPage;
inline constexpr std::size_t kNamesOffset = 3 * shm::kPage;
inline constexpr std::size_t kRingsOffset = kNamesOffset + kNames * sizeof(name_entry);
inline constexpr std::size_t kRingBytes = kRecords * sizeof(event_record);
inline constexpr std::size_t kTraceFileBytes = kRingsOffset + kRings * kRingBytes;
static_assert(kRings * sizeof(thread_header) == shm::kPage && kRingsOffset == 143360);

}  // namespace weir::trace
