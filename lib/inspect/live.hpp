// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inspect/segment_file.hpp"
#include "runtime/session_layout.hpp"
#include "weir/ids.hpp"

namespace weir::inspect {

/// A call, or a task of the process's own, that a thread runs.
struct run_report {
  std::int32_t thread = 0;
  std::int64_t since_ns = 0;  ///< monotonic clock
  std::uint64_t function = 0;
  std::uint64_t trampoline = 0;  ///< 0: no call
  std::string module;            ///< of the function, or else the trampoline; empty: the program itself
  process_id caller = 0;
  std::uint32_t slot = 0;  ///< in the caller's results; 0xffffffff: no answer is wanted
  std::uint32_t generation = 0;
};

/// What a thread sleeps in, as the session's table says it.
struct noted_wait_report {
  sync::wait_kind what{};
  std::int32_t thread = 0;
  std::int64_t since_ns = 0;
  std::int64_t until_ns = 0;  ///< 0: no end
  process_id process = 0;
  process_id owner = 0;
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  std::string object;
};

/// What the threads of one process of a session do; those not named here do something else.
struct live_report {
  std::vector<run_report> runs;          ///< the longest first
  std::vector<noted_wait_report> waits;  ///< likewise
  std::vector<std::int32_t> idle;        ///< threads of the runtime that wait for work
};

/// Of the process that has this number's record in the table. Entries that change while they are read are left out.
[[nodiscard]] live_report read_live(const segment_file& table, process_id id);

}  // namespace weir::inspect
