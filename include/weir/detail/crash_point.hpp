// SPDX-License-Identifier: BSL-1.0
#pragma once

/// WEIR_CRASH_POINT("ring.put.claimed") names a point at which the crash tests kill a process (tests/support). Only in
/// the library built for those tests; in every other build it is nothing at all.
#ifdef WEIR_CRASH_POINTS
namespace weir::shm {
/// Called at every point with its name; set by a test, in the process that is to die. Null: carry on.
extern void (*g_at_crash_point)(const char* name) noexcept;
}  // namespace weir::shm
#define WEIR_CRASH_POINT(name)                                                         \
  do {                                                                                 \
    if (::weir::shm::g_at_crash_point != nullptr) ::weir::shm::g_at_crash_point(name); \
  } while (false)
#else
#define WEIR_CRASH_POINT(name) static_cast<void>(0)
#endif
