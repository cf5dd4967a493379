// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace weir {

/// Number of a process in its session: 1 is the control process, workers count from 2 and are never renumbered.
using process_id = std::uint32_t;

/// The control process's number; also what a program without a session calls itself.
inline constexpr process_id kControlProcess = 1;

/// This process's number in its session; 1 in the control process and in a program without a session.
/// Never waits, never throws; any thread.
[[nodiscard]] process_id my_id() noexcept;

}  // namespace weir
