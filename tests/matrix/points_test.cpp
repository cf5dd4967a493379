// SPDX-License-Identifier: BSL-1.0
// Compiling this is the test: each crash point in the library's code is in the matrix, and each in the matrix in the code.
#include "points.hpp"

namespace weir::tests {
namespace {

constexpr std::string_view kPointsInCode[] = {
#include "crash_points.inc"
};

constexpr bool is_in(std::string_view point, std::string_view points) {
  bool found = false;
  for_each_point(points, [&](std::string_view each) { found = found || each == point; });
  return found;
}

constexpr bool has_a_test(std::string_view point) {
  for (const channel_passage& each : kChannelPassages) {
    if (is_in(point, each.points)) return true;
  }
  for (const call_passage& each : kCallPassages) {
    if (is_in(point, each.points)) return true;
  }
  return is_in(point, kSweepsPoints) || is_in(point, kArraysPoints) || is_in(point, kTeamsPoints) ||
         is_in(point, kNotesPoints) || is_in(point, kTracesPoints);
}

/// Names the first point without a test in the compiler's message.
template <std::size_t Index = 0>
constexpr bool all_have_tests() {
  if constexpr (Index < std::size(kPointsInCode)) {
    static_assert(has_a_test(kPointsInCode[Index]), "the crash point of this Index in crash_points.inc has no test");
    return all_have_tests<Index + 1>();
  }
  return true;
}
static_assert(all_have_tests());

constexpr bool is_in_code(std::string_view points) {
  bool all = true;
  for_each_point(points, [&](std::string_view point) {
    bool found = false;
    for (const std::string_view each : kPointsInCode) found = found || each == point;
    all = all && found;
  });
  return all;
}
template <class Passages>
constexpr bool are_in_code(const Passages& passages) {
  for (const auto& each : passages) {
    if (!is_in_code(each.points)) return false;
  }
  return true;
}
static_assert(is_in_code(kSweepsPoints), "a point of the sweep is not in the code");
static_assert(is_in_code(kTeamsPoints), "a point of teams is not in the code");
static_assert(is_in_code(kArraysPoints), "a point of the arrays is not in the code");
static_assert(is_in_code(kNotesPoints), "a point of notes of waits and runs is not in the code");
static_assert(is_in_code(kTracesPoints), "a point of the traces is not in the code");
static_assert(are_in_code(kChannelPassages), "the matrix names a point that is not in the code");
static_assert(are_in_code(kCallPassages), "the matrix names a point that is not in the code");

}  // namespace
}  // namespace weir::tests
