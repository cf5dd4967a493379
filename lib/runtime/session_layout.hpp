// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "segment/header_layout.hpp"
#include "segment/process_identity.hpp"
#include "sync/shared_event.hpp"
#include "sync/wait_layout.hpp"

/// The bytes of a session's table (segment `@REALM.session`), layout 2. Offsets are from the segment's first byte.
///      0  shm::segment_header   its creator is the control process
///   4096  session_header
///   8192  entries              process `id` has entry id % kEntries; 256 B each, sparse
///    ...  live records         likewise, 8,192 B each: what its threads run and wait for
/// Entries and records of processes below `next_id` have memory; the others are not to be touched, not even read.
namespace weir::runtime {

inline constexpr std::string_view kSessionWord = "session";  // of the segment's name
inline constexpr std::uint32_t kEntries = 4096;
inline constexpr std::size_t kSessionHeaderOffset = shm::kPage;
inline constexpr std::size_t kEntriesOffset = 2 * shm::kPage;

// byte  field        who writes it, and under what
//    0  next_id      the control process, one thread at a time: the number that the next worker gets; only grows.
//                    Stored with release after the memory of the entries below it is there; read with acquire
//    4  ending       the control process, once: 1 when its session's destructor begins
//    8  tracing      whoever switches tracing on or off (the control process when it begins, the command `weir`), by
//                    compare-and-swap: how often that was done; odd: on. Every process looks now and then and obeys
//   64  workers      event: some entry's state changed. The control process and starting workers
//   68  completions  event: some result became ready, or will never come, or a worker has come (which a map waits for
//                    too). Whoever stores a result; the control process; starting workers
// A control process that dies leaves the table as it is; its workers see the death (pidfd) and remove the file.
struct session_header {
  std::atomic<std::uint32_t> next_id;
  std::atomic<std::uint32_t> ending;
  std::atomic<std::uint32_t> tracing;
  std::uint32_t unused0[13];
  alignas(64) sync::shared_event workers;
  sync::shared_event completions;
};
static_assert(std::is_standard_layout_v<session_header> && std::is_trivially_destructible_v<session_header>);
static_assert(offsetof(session_header, ending) == 4 && offsetof(session_header, tracing) == 8);
static_assert(offsetof(session_header, workers) == 64 && offsetof(session_header, completions) == 68);
static_assert(sizeof(session_header) == 128);

//   vacant --control--> starting --worker--> running --control, after reaping it--> gone --control--> starting (a later id)
//                       starting --control, after reaping it--> gone
// Entry 1, the control process's own: vacant --control--> running --control, at the end of the session--> gone
enum class worker_state : std::uint32_t {
  vacant = 0,    // so a zeroed table has no workers
  starting = 1,  // control has started the process, or is about to; `id` holds
  running = 2,   // the worker itself says so: `who` holds, its inbox and results are there, calls may be sent
  gone = 3,      // `exit_kind` and `exit_value` hold; nobody sends
};

enum class exit_kind : std::uint32_t { unknown = 0, exited = 1, signalled = 2 };

// byte  field            who writes it, and under what
//    0  state            see above. running is stored with release by the worker, gone by control; read with acquire
//    4  id               control, before `starting`; an entry whose id differs stands for a process long gone
//    8  who              the worker, before `running`; all zero for one that never came so far
//   24  exit_kind, 28 exit_value   control, before `gone`: how the process ended; unknown if somebody else reaped it
//   32  concurrency      control, before `starting`
//   36  told_to_end      control: 1 once it has asked or forced the worker to end, so that its end is no surprise
//   40  started_ns       control, before `starting`; real-time clock
//   64  output_busy      control's reader: bit s is set before it reads stream s (0 stdout, 1 stderr), cleared after
//                        what was read has been printed (sequentially consistent: the worker looks at the pipe, then here)
//   68  output_partial   control's reader: bit s while it holds a line of stream s that is not finished
//   72  output_done      event: control's reader has printed what it had read
//   80  output_bytes     control's reader: bytes of stream s that it has dealt with; only grow
//  128  calls_started, 136 calls_served   the worker; only grow
//  144  last_started_ns  the worker: steady clock, start of the latest call
//  152  unused
//  160  running_calls    the worker: calls that have begun and not ended; 164 waiting_calls: those of them asleep in weir
//  168  waits            the worker: how often a call has gone to sleep in weir; only grows
// A worker that dies leaves 128..175 as they were; the end of the session reads them of the living only. A control process that dies leaves
// output_busy set: who waits for output looks whether it lives.
struct process_entry {
  std::atomic<worker_state> state;
  std::atomic<std::uint32_t> id;
  shm::process_identity who;
  std::atomic<exit_kind> how;
  std::atomic<std::int32_t> exit_value;
  std::atomic<std::uint32_t> concurrency;
  std::atomic<std::uint32_t> told_to_end;
  std::atomic<std::int64_t> started_ns;
  std::uint64_t unused0[2];
  std::atomic<std::uint32_t> output_busy;
  std::atomic<std::uint32_t> output_partial;
  sync::shared_event output_done;
  std::uint32_t unused1;
  std::atomic<std::uint64_t> output_bytes[2];
  std::uint64_t unused2[4];
  std::atomic<std::uint64_t> calls_started;
  std::atomic<std::uint64_t> calls_served;
  std::atomic<std::int64_t> last_started_ns;
  std::uint64_t unused3;
  std::atomic<std::uint32_t> running_calls;
  std::atomic<std::uint32_t> waiting_calls;
  std::atomic<std::uint64_t> waits;
  std::uint64_t unused4[10];
};
static_assert(std::is_standard_layout_v<process_entry> && std::is_trivially_destructible_v<process_entry>);
static_assert(std::atomic<worker_state>::is_always_lock_free && std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(offsetof(process_entry, who) == 8 && offsetof(process_entry, how) == 24);
static_assert(offsetof(process_entry, concurrency) == 32 && offsetof(process_entry, started_ns) == 40);
static_assert(offsetof(process_entry, output_busy) == 64 && offsetof(process_entry, output_done) == 72);
static_assert(offsetof(process_entry, output_bytes) == 80 && offsetof(process_entry, calls_started) == 128);
static_assert(offsetof(process_entry, last_started_ns) == 144 && offsetof(process_entry, running_calls) == 160);
static_assert(offsetof(process_entry, waits) == 168 && sizeof(process_entry) == 256);

// What a thread of the process runs. byte
//    0  word           uses << 1 | 1 while it runs; the thread, last, with release. Never what it was before: see wait_entry
//    4  thread         the thread, as all below, before the word
//    8  since_ns       steady clock
//   16  function       code that was called, as an offset in its module; 0: the trampoline knows it
//   24  trampoline     likewise: what decodes the arguments; 0: no call but a task of the process's own
//   32  caller         id of the process; 36 slot, 40 generation: where its answer goes (results_layout.hpp; slot
//                      0xffffffff: it wants none)
//   44  module_bytes   length of the name of the module that `function`, or else `trampoline`, is in; 0: the program itself
//   48  module         that name; its end if it is too long
// A process that dies leaves them.
inline constexpr std::size_t kRunModuleBytes = 80;
struct run_entry {
  std::atomic<std::uint32_t> word;
  std::int32_t thread;
  std::int64_t since_ns;
  std::uint64_t function;
  std::uint64_t trampoline;
  std::uint32_t caller;
  std::uint32_t slot;
  std::uint32_t generation;
  std::uint32_t module_bytes;
  char module[kRunModuleBytes];
};
static_assert(std::is_standard_layout_v<run_entry> && std::is_trivially_destructible_v<run_entry>);
static_assert(offsetof(run_entry, since_ns) == 8 && offsetof(run_entry, caller) == 32);
static_assert(offsetof(run_entry, module_bytes) == 44 && sizeof(run_entry) == 128);

// byte 0 waits; 5120 runs: a thread that runs calls has one of them as long as it exists, beyond kRunEntries threads none.
// Zeroed by the control process before `starting`; then only the process itself writes.
inline constexpr std::size_t kRunEntries = 24;
struct live_record {
  sync::wait_table waits;
  alignas(64) run_entry runs[kRunEntries];
};
static_assert(offsetof(live_record, runs) == 5120 && sizeof(live_record) == 2 * shm::kPage);

inline constexpr std::size_t kLiveOffset = kEntriesOffset + kEntries * sizeof(process_entry);
static_assert(kLiveOffset % shm::kPage == 0);
constexpr std::size_t live_offset(std::uint32_t id) noexcept {
  return kLiveOffset + (id % kEntries) * sizeof(live_record);
}
inline constexpr std::size_t kSessionFileBytes = kLiveOffset + kEntries * sizeof(live_record);

}  // namespace weir::runtime
