// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/report.hpp"
#include "inspect/segments.hpp"
#include "runtime/session_layout.hpp"
#include "weir/error.hpp"

namespace weir::inspect {

[[nodiscard]] const char* text_of(runtime::worker_state state) noexcept;

/// A process of a session. Process 1 is the control process.
struct session_process_report {
  process_id id = 0;
  runtime::worker_state state{};
  shm::process_identity who;  ///< all zero: it has not come so far
  shm::liveness life{};
  exit_report ended;  ///< of one that is gone
  std::uint32_t concurrency = 0;
  std::int64_t started_ns = 0;  ///< real-time clock
  std::uint64_t calls_started = 0;
  std::uint64_t calls_served = 0;
  std::uint32_t running_calls = 0;
  std::uint32_t waiting_calls = 0;  ///< of these, asleep in weir
};

struct session_report {
  segment_report segment;
  bool readable = false;  ///< false: see segment.why; nothing below means anything
  bool ending = false;
  process_id next_id = 0;
  std::vector<session_process_report> processes;  ///< by id; those whose entries were used again are left out
};

/// Name without `weir.`: `@REALM.session`.
[[nodiscard]] session_report describe_session(std::string_view name);
[[nodiscard]] session_report describe_session(checked_segment checked);

}  // namespace weir::inspect
