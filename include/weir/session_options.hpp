// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <functional>
#include <string_view>

#include "weir/ids.hpp"

namespace weir {

/// Where a worker printed to.
enum class output_stream { standard_output = 0, standard_error = 1 };

/// Called with each line that a worker prints, without its end.
using output_function = std::function<void(process_id worker, output_stream stream, std::string_view line)>;

/// How a session is run.
struct session_options {
  /// Gets the workers' lines instead of the printer, which writes `      From worker 2:\t` and the line to this process's
  /// stdout or stderr. Called on a thread of the session, one line at a time; workers' results wait for it, so it must
  /// not wait for workers. What it throws is dropped, with the line.
  output_function output = nullptr;
  /// How long the end of the session, or of a worker, waits for calls that have been sent already; workers that are not
  /// done by then are ended by signals. If half a second passes in which no call does anything but wait in weir, nothing
  /// more is expected of them, and they are ended at once.
  std::chrono::milliseconds exit_grace = std::chrono::seconds(5);
  /// Every process of the session records its calls, puts, takes and waits from the beginning, the last 32,768 of each
  /// thread, in shared memory (1 MiB a thread); `weir trace` writes them as a file for Perfetto, also when the session has
  /// ended. Otherwise `weir trace --start` begins that at any time (docs/tracing.md).
  bool trace = false;
};

}  // namespace weir
