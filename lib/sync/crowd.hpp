// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace weir::sync {

/// Whether the calling thread lately had to wait for a CPU: others want the ones that it may use, and while it spins it
/// keeps one of them from running, perhaps the one it waits for. The kernel counts how long a thread was ready and did
/// not run (/proc/thread-self/schedstat, proc(5)); this looks every few milliseconds, at the time stamp counter only
/// otherwise. False where there is no such count.
[[nodiscard]] bool is_crowded() noexcept;
/// What it said last in this thread.
[[nodiscard]] bool was_crowded() noexcept;

}  // namespace weir::sync
