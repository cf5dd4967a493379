// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <thread>

namespace weir::tests {

/// How many putters and takers, or callers and workers that serve.
enum class shape { one_to_one, many_to_one, one_to_many, many_to_many };
inline constexpr std::array kShapes{shape::one_to_one, shape::many_to_one, shape::one_to_many, shape::many_to_many};
inline constexpr std::array<std::string_view, kShapes.size()> kShapeNames{"1_to_1", "N_to_1", "1_to_N", "N_to_M"};
constexpr int putters_in(shape s) { return s == shape::one_to_one || s == shape::one_to_many ? 1 : 3; }
constexpr int takers_in(shape s) { return s == shape::one_to_one || s == shape::many_to_one ? 1 : 2; }

inline constexpr std::chrono::seconds kHang{60};  // a watchdog: nothing is expected to take a tenth of it
inline constexpr std::int64_t kLongestWaitNs = 1'000'000'000;

/// Looks every now and then; false: not in time.
template <class Condition>
bool comes_true_within(std::chrono::milliseconds patience, const Condition& condition) {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= give_up) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  return true;
}

}  // namespace weir::tests
