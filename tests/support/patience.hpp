// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>

namespace weir::tests {

inline constexpr std::chrono::seconds kPatience{20};  // a watchdog: nothing is expected to take a tenth of it
inline constexpr std::chrono::milliseconds kAfterDeathsAreFound{700};  // longer than a dead process stays undiscovered

}  // namespace weir::tests
