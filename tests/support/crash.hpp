// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <csignal>
#include <cstring>
#include <string>

#include "support/child.hpp"
#include "weir/detail/crash_point.hpp"

/// Killing a real process at a named point of the library (WEIR_CRASH_POINT). Needs the library built with them.
namespace weir::tests {

inline constexpr std::chrono::seconds kWatchdog{60};  // a hang; nothing is expected to take a thirtieth of it

struct planned_death {
  static inline char point[64] = {};
  static inline int hits_left = 0;
  static void look(const char* name) noexcept {
    if (std::strcmp(name, point) == 0 && --hits_left == 0) ::raise(SIGKILL);
  }
};

/// From now on this process dies at the `hit`-th passing of `point`.
inline void die_at(const std::string& point, int hit = 1) {
  point.copy(planned_death::point, sizeof planned_death::point - 1);
  planned_death::hits_left = hit;
  shm::g_at_crash_point = &planned_death::look;
}

}  // namespace weir::tests
