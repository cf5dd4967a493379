// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>

namespace weir::tests {

inline constexpr std::chrono::seconds kPatience{60};  // a watchdog: nothing is expected to take a thirtieth of it
inline constexpr std::chrono::milliseconds kAfterDeathsAreFound{700};  // longer than a dead process stays undiscovered

}  // namespace weir::tests
