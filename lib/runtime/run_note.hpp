// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/session_layout.hpp"

namespace weir::runtime {

/// What a thread begins to run; see run_entry.
struct run_description {
  std::uint64_t function = 0;
  std::uint64_t trampoline = 0;
  std::uint32_t caller = 0;
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  std::string_view module = {};
};

/// Says in `entry` (null: nowhere) that the calling thread runs it, from now on. A few stores into lines of its own.
void note_run(run_entry* entry, const run_description& what) noexcept;
/// It has come to its end, or nothing was noted.
void note_run_over(run_entry* entry) noexcept;

}  // namespace weir::runtime
