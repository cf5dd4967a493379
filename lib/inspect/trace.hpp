// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "inspect/report.hpp"
#include "trace/trace_layout.hpp"

/// What the processes of a session have recorded (lib/trace). Read while they record, or when they are long dead; only
/// whole records are seen, whatever the bytes say.
namespace weir::inspect {

/// The bytes' event_record, and where it was found.
struct trace_event {
  std::int64_t time_ns = 0;  ///< monotonic clock
  std::uint64_t number = 0;
  std::uint64_t object = 0;
  std::uint32_t peer = 0;
  std::int32_t thread = 0;
  process_id process = 0;
  trace::event_kind kind{};
  std::uint8_t detail = 0;
};

struct traced_process {
  process_id id = 0;
  shm::process_identity who;
  shm::liveness life{};
  std::string program;
  bool recording = false;     ///< it lives, and tracing is on
  std::uint32_t follows = 0;  ///< what it last saw the session's switch say
  std::uint32_t refused = 0;  ///< threads that found no ring
  std::int64_t real_offset_ns = 0;
  std::uint64_t recorded = 0;     ///< events, ever
  std::uint64_t overwritten = 0;  ///< of these, there no more
  std::uint64_t damaged = 0;      ///< records that make no sense
  std::map<std::pair<trace::name_kind, std::uint64_t>, std::string> names;
  std::vector<trace_event> events;  ///< since tracing was last switched on, by time
  std::string why;                  ///< of a segment that cannot be read; empty otherwise
};

struct trace_report {
  std::string realm;
  bool session_is_there = false;  ///< its table is
  std::vector<traced_process> processes;
};

/// All of a session's, by process.
[[nodiscard]] trace_report read_trace(std::string_view realm);

/// Without its events and names.
[[nodiscard]] traced_process look_at_trace(std::string_view realm, process_id process);

/// Realms that have a session's table or a trace, and begin with what is `given`: a realm, its first digits, or the name of
/// any segment of it.
[[nodiscard]] std::vector<std::string> find_realms(std::string_view given);

/// "put", "wait for an item", …
[[nodiscard]] std::string text_of(const trace_event& event);
/// What its object is called: its name, else its number. Empty: it has none.
[[nodiscard]] std::string object_of(const traced_process& process, const trace_event& event);

}  // namespace weir::inspect
