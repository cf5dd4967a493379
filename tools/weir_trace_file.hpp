// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

#include "inspect/trace.hpp"
#include "inspect/trace_timeline.hpp"

namespace weir::command {

/// Writes a trace in the trace event format that Perfetto (ui.perfetto.dev) and chrome://tracing read: a slice (X) for what a
/// thread did, an arrow (s, f) for each flow; events are in the order of their times. "-": to stdout. The file appears
/// whole or not at all; one that is there is replaced only if `replaces`. Throws as shm::new_file.
void write_trace_file(const std::string& path, bool replaces, const inspect::trace_report& report,
                      const inspect::trace_timeline& timeline);

/// "control" or "worker 2".
[[nodiscard]] std::string process_name(process_id id);

}  // namespace weir::command
