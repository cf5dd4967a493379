// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "runtime/session_table.hpp"
#include "weir/ids.hpp"

/// A session's trace. Its switch is a word in the session's table; each process looks at it a few times a second, on a
/// thread that it has anyway, and obeys. What processes have recorded outlives the session, however that ended, until
/// `weir gc` removes it, or a session of the same user that is traced as well.
namespace weir::runtime {

/// How long it takes at most until a running process obeys the switch.
inline constexpr std::chrono::milliseconds kLooksAtSwitch{200};

/// This process belongs to the session from now on: obeys the switch at once. Before follow_trace_switch() and
/// leave_trace(), which are to be called by one thread at a time. A trace that cannot be had is told of on stderr, once.
void join_trace(process_id self) noexcept;
void follow_trace_switch() noexcept;
void leave_trace() noexcept;

/// Of any session's table, in any process. What the switch says now, and whether it said so before.
struct switched {
  std::uint32_t word = 0;
  bool was_so = false;
};
switched switch_trace(session_header& header, bool on) noexcept;

/// Switches a session's tracing by its realm, from outside. Throws not_found, permission_denied, layout_mismatch,
/// corrupt_segment.
switched switch_trace_of(std::string_view realm, bool on);

/// Says that a call has been sent, if tracing is on. Called before it is; what it returns is to go with the call.
[[nodiscard]] std::uint64_t trace_call(process_id callee, const void* code) noexcept;
/// The same of the run of a call. False: tracing is off.
[[nodiscard]] bool trace_run(process_id caller, std::uint64_t number, const void* code) noexcept;

}  // namespace weir::runtime
