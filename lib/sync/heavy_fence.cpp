// SPDX-License-Identifier: BSL-1.0
#include "sync/heavy_fence.hpp"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace weir::sync {
namespace {

long membarrier(int command) noexcept { return ::syscall(SYS_membarrier, command, 0, 0); }

// Before the program has threads: later the kernel would let the registering one wait until all of them are known.
[[maybe_unused]] const bool kRegisteredAtStart = register_for_heavy_fences();

}  // namespace

bool register_for_heavy_fences() noexcept { return membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED) == 0; }

void heavy_fence() noexcept {
  if (membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED) != 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

}  // namespace weir::sync
