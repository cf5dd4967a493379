// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weir::inspect {

/// What the kernel says of a process (/proc); stale as soon as it is returned.
struct process_usage {
  char state = '?';  ///< R, S, D, T (stopped), Z, … as in proc(5)
  std::int64_t cpu_ns = 0;
  std::uint64_t resident_bytes = 0;
};
/// Nothing: there is no such process (any more), or /proc does not show it.
[[nodiscard]] std::optional<process_usage> usage_of(std::int32_t pid);

/// The numbers of its threads; nothing: not known.
[[nodiscard]] std::optional<std::vector<std::int32_t>> threads_of(std::int32_t pid);

/// A whole file of /proc, or its first `most` bytes; empty: it cannot be read.
[[nodiscard]] std::string read_text_file(const std::string& path, std::size_t most = std::size_t{64} << 10U);

}  // namespace weir::inspect
