// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace weir {

/// How workers are started.
struct worker_options {
  /// Calls that a worker runs at once. With 1 users' globals need no locks: a call runs until it returns or waits in weir.
  std::uint32_t concurrency = 1;
  /// Added to the environment that the workers inherit from the control process; wins over what is there.
  std::map<std::string, std::string> environment = {};
  /// How long add_workers waits for them to be ready before it ends them and throws timed_out.
  std::chrono::milliseconds start_timeout = std::chrono::seconds(30);
};

}  // namespace weir
