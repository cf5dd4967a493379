// SPDX-License-Identifier: BSL-1.0
#pragma once

/// Asymmetric fences between processes, by membarrier(2). One side, which is fast and often, orders a store before a later
/// load by nothing but a compiler barrier; the other side, slow and seldom, calls heavy_fence() between its own store and
/// load, which makes every thread of every registered process that runs just then execute a full fence. (Threads that do
/// not run have gone through one.) So at least one of the two sees what the other stored.
namespace weir::sync {

/// Makes this process one whose threads heavy_fence() reaches. False: the kernel, or a filter of system calls, does not
/// have it; then this process must use full fences. May be called any number of times, also again after fork().
[[nodiscard]] bool register_for_heavy_fences() noexcept;

/// As above. Where there is no membarrier(2) it sleeps for a millisecond instead: no processor keeps a store to itself for
/// so long. A few microseconds otherwise; a system call, and an interrupt for each CPU that runs a registered process.
void heavy_fence() noexcept;

}  // namespace weir::sync
