// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "weir/ids.hpp"

namespace weir::runtime {

/// What a worker's environment says it is.
struct worker_identity {
  process_id id = 0;  ///< 0: this process is no worker
  char realm[16] = {};
  int output_watch = -1;  ///< descriptor of an epoll instance that watches what this process writes to; -1: none
};
[[nodiscard]] worker_identity read_worker_variable() noexcept;

/// Joins the session, serves calls until told to end, and exits. A watching thread ends the process, whatever it is
/// doing, when the control process dies, and removes the session's segments.
[[noreturn]] void serve_as_worker(const worker_identity& who);

/// Lets channels ask about workers, and futures and workers be sent: in every process of a session, before anything else.
void connect_layers();

}  // namespace weir::runtime
