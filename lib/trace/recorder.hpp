// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "trace/trace_layout.hpp"
#include "weir/ids.hpp"

/// What this process records of itself while its session is traced. Every thread that records has a ring of its own, so that
/// none waits for another. All may be called by any thread at any time. Crash: a record is whole or not there.
namespace weir::trace {

/// Alone on its line, which is written only when tracing is switched.
struct alignas(64) on_flag {
  std::atomic<bool> value{false};
};
extern on_flag g_on;

[[nodiscard]] inline bool is_on() noexcept { return g_on.value.load(std::memory_order_relaxed); }

/// A record without its time and place.
struct event {
  event_kind kind{};
  std::uint64_t number = 0;
  std::uint64_t object = 0;
  std::uint32_t peer = 0;
  std::uint8_t detail = 0;
};

/// Appends to the thread's ring, over the oldest record if that is full. False: there is no ring to be had. The first record
/// of a thread takes one, which may take a fraction of a millisecond; no other waits.
bool record(const event& what) noexcept;

/// The same while tracing is on; what the rest of the library calls.
inline void note(const event& what) noexcept {
  if (is_on()) [[unlikely]]
    record(what);
}

/// Writes down what a number in the records stands for, if there is room and it has not been done.
void name(name_kind kind, std::uint64_t key, std::string_view text) noexcept;
/// It has not been done so far.
[[nodiscard]] bool is_unnamed(name_kind kind, std::uint64_t key) noexcept;

/// Number for a call; 0 while tracing is off.
[[nodiscard]] std::uint64_t next_call() noexcept;

// The next four by one thread at a time.

/// Begins to record, in this process's segment, which is made at the first time. Throws no_space, already_exists.
void start(process_id self);
/// Stops recording. The segment stays.
void stop() noexcept;
/// Says in the segment, if there is one, that the session's switch has been obeyed.
void say_followed(std::uint32_t word) noexcept;
/// The session is over: the next start() makes another segment.
void leave() noexcept;

/// Name (without `weir.`) of a process's segment, in this process's realm.
[[nodiscard]] std::string segment_name(process_id id);
/// Whether a segment's name (without `weir.`) is of that kind.
[[nodiscard]] bool is_trace_name(std::string_view name) noexcept;

}  // namespace weir::trace
