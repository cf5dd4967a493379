// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "segment/segment.hpp"
#include "weir/ids.hpp"

namespace weir::runtime {

/// In a worker's environment: `<realm>:<id>`, and `:<descriptor>` of its output_watch, unless there is none.
inline constexpr const char* kWorkerVariable = "WEIR_WORKER";

/// A worker as its parent sees it. Descriptors close with it; the process goes on.
struct started_process {
  int pid = -1;
  shm::unique_fd pidfd;
  shm::unique_fd output[2];  ///< reading ends of what it writes to stdout and stderr; not blocking
};

/// Starts this very program once more as worker `id`: the executable that runs (also if its file has been replaced or
/// deleted), with this process's arguments and environment, `extra` added to the latter; stdin empty, stdout and stderr
/// to pipes; in a process group of its own, so that Ctrl-C on a terminal ends the control process only.
/// Returns once the program has been executed. Throws worker_died if it cannot be.
started_process start_worker(process_id id, const std::map<std::string, std::string>& extra);

}  // namespace weir::runtime
