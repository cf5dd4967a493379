// SPDX-License-Identifier: BSL-1.0
#include "weir/detail/crash_point.hpp"

#ifdef WEIR_CRASH_POINTS
namespace weir::shm {
void (*g_at_crash_point)(const char* name) noexcept = nullptr;
}  // namespace weir::shm
#endif
