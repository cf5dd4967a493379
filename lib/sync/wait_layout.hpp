// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

/// The waits of a process's threads, for people: who looks from outside sees what each sleeps in, and since when. Layout 1.
/// Lies in the session's table (runtime/session_layout.hpp). Channels have a table of their sleepers of their own.
namespace weir::sync {

/// What a thread sleeps in. The numbers are written here and in traces (lib/trace/trace_layout.hpp).
enum class wait_kind : std::uint32_t {
  none = 0,           ///< of no interest: an idle process waits for its next call
  result = 1,         ///< an answer
  map = 2,            ///< one of the answers that a map waits for
  array_lock = 3,     ///< an array's lock, or its gate
  array_sharers = 4,  ///< those who share an array's lock to let go of it
  array_resize = 5,   ///< another's resize of an array
  team = 6,           ///< what the team's record of the rank says
  worker_start = 7,   ///< a worker to come
  workers = 8,        ///< several workers to come, or to end
  output = 9,         ///< what was printed to be read
  inbox = 10,         ///< room in a process's inbox
  // Only in traces, since channels have tables of their sleepers:
  item = 11,      ///< in a channel, as the next three
  room = 12,      ///< likewise
  block = 13,     ///< to become free
  pickup = 14,    ///< of an item put into a rendezvous
  channels = 15,  ///< several channels, a select's
};
inline constexpr wait_kind kLastWaitKind = wait_kind::channels;
/// Whether a thread that sleeps in it has an entry in its process's table.
constexpr bool is_noted(wait_kind what) noexcept { return what != wait_kind::none && what <= wait_kind::inbox; }

inline constexpr std::size_t kWaitEntries = 32;
inline constexpr std::size_t kIdleEntries = 256;
inline constexpr std::size_t kWaitObjectBytes = 80;
inline constexpr std::uint32_t kWaitKindMask = 0xff;
inline constexpr std::uint32_t kOneWait = 0x100;
constexpr wait_kind kind_of_wait(std::uint32_t word) noexcept { return static_cast<wait_kind>(word & kWaitKindMask); }

//   unused(n) --the sleeper: claims--> unused(n + 1), thread set --it describes, then word--> kind(n + 1) --it has woken--> unused(n + 1)
//
// byte  field       who writes it
//    0  word        uses << 8 | wait_kind. The sleeper, last, with release; 0 in the lower bits again once it has woken.
//                   It never comes back to what it was, so that whoever reads the entry twice and finds the same has read it whole
//    4  thread      0: nobody has claimed the entry. By compare-and-swap from 0 by the sleeper, before all else; 0 by it, last
//    8  since_ns    the sleeper: steady clock, as until_ns
//   16  until_ns    0: no end
//   24  process     result: who is to answer; worker_start: who is to come; inbox: whose. A process id; 0: nobody in particular
//   28  owner       result: the process whose results take it; 32 slot, 36 generation its place there
//   32  slot        map: calls under way; team: the sleeper's rank
//   40  object      name of the array or team, without `weir.`, cut, NUL-padded
// A sleeper that dies leaves its entry: whoever reads looks whether the process lives. A process has its own entries, which
// are all unused when it begins.
struct wait_entry {
  std::atomic<std::uint32_t> word;
  std::atomic<std::int32_t> thread;
  std::int64_t since_ns;
  std::int64_t until_ns;
  std::uint32_t process;
  std::uint32_t owner;
  std::uint32_t slot;
  std::uint32_t generation;
  char object[kWaitObjectBytes];
  std::uint64_t unused;
};
static_assert(std::is_standard_layout_v<wait_entry> && std::is_trivially_destructible_v<wait_entry>);
static_assert(offsetof(wait_entry, thread) == 4 && offsetof(wait_entry, since_ns) == 8);
static_assert(offsetof(wait_entry, process) == 24 && offsetof(wait_entry, slot) == 32);
static_assert(offsetof(wait_entry, object) == 40 && sizeof(wait_entry) == 128);

// byte    0  entries
//      4096  idle      threads of the runtime that wait for work, and do nothing else of their own accord: 0: unused; the
//                      thread's number by compare-and-swap from 0, and 0 again, by itself
struct wait_table {
  wait_entry entries[kWaitEntries];
  std::atomic<std::int32_t> idle[kIdleEntries];
};
static_assert(offsetof(wait_table, idle) == 4096 && sizeof(wait_table) == 5120);

}  // namespace weir::sync
