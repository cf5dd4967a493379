// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace weir::sync {

/// Whether more threads want to run on this machine than it has CPUs: whoever spins then keeps another from running,
/// perhaps the one he waits for. Looks at /proc/loadavg every few milliseconds, otherwise at the time stamp counter only. False where
/// there is no /proc. Any thread.
[[nodiscard]] bool is_crowded() noexcept;

}  // namespace weir::sync
