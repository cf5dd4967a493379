// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "inspect/trace.hpp"

namespace weir::inspect {

/// So long is drawn what takes no time that is known: puts, takes, calls and answers. Less if the thread does something else
/// sooner, so that slices of a thread lie in each other or apart.
inline constexpr std::int64_t kInstantNs = 500;

/// Something that a thread did, from when to when.
struct trace_slice {
  const traced_process* process = nullptr;
  const trace_event* event = nullptr;  ///< that it began with
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  bool is_finished = true;  ///< false: its end is not in the trace; end_ns is that of the trace
  bool threw = false;       ///< of a run
};

/// From a put to its take, or from a call to its run: two slices, by their index.
struct trace_flow {
  std::size_t from = 0;
  std::size_t to = 0;
};

/// A trace as it is drawn. Refers to the report.
struct trace_timeline {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::vector<trace_slice> slices;  ///< by begin; of one thread, those that lie in another come after it
  std::vector<trace_flow> flows;    ///< only those whose ends are both there, and in order
};
[[nodiscard]] trace_timeline make_timeline(const trace_report& report);

}  // namespace weir::inspect
