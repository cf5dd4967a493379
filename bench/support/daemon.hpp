// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace bench {

/// A program that runs while this object lives, and that ends with this process even if that is killed.
class daemon {
 public:
  /// Returns when it has printed a line that contains `ready`. Throws not_available if there is no such program,
  /// std::runtime_error with what it printed if it ends instead.
  daemon(const std::vector<std::string>& command, const std::string& ready);
  daemon(const daemon&) = delete;
  daemon& operator=(const daemon&) = delete;
  /// Asks it to end (SIGTERM) and waits until it has.
  ~daemon();

 private:
  pid_t child_ = -1;
  int output_ = -1;  // read until it is ready; kept open, so that later lines do not end it
};

}  // namespace bench
