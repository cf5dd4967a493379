// SPDX-License-Identifier: BSL-1.0
// A caller, a worker that serves calls, or the control process is killed at each point of the library's code that it comes
// by. The others' calls run once and have their answers, or the error that says who died; nothing is left.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "points.hpp"

namespace weir::tests {
namespace {

struct combination {
  call_plan what;
  ballast size;
  shape how_many;
};

std::string name_of(const testing::TestParamInfo<combination>& given) {
  const combination& c = given.param;
  std::string name = fmt::format("{}_{}_{}_{}", kCallRoleNames.at(static_cast<std::size_t>(c.what.victim)),
                                 c.what.point, kBallastNames.at(static_cast<std::size_t>(c.size)),
                                 kShapeNames.at(static_cast<std::size_t>(c.how_many)));
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

void PrintTo(const combination& c, std::ostream* out) { *out << c.what.point << " hit " << c.what.hit; }

std::vector<combination> all_combinations() {
  std::vector<combination> all;
  for (const call_passage& each : kCallPassages) {
    for_each_point(each.points, [&](std::string_view point) {
      for (const shape how_many : kShapes) {
        for (const ballast size : kBallasts) {
          if ((each.ballasts & (1U << static_cast<unsigned>(size))) == 0) continue;
          all.push_back({{each.victim, point, each.hit}, size, how_many});
        }
      }
    });
  }
  return all;
}

class CallMatrix : public testing::TestWithParam<combination> {};

TEST_P(CallMatrix, CallsRunOnceAndAreAnsweredOrFailAndNothingIsLeft) {
  const combination& c = GetParam();
  run_call_scenario(c.what, c.how_many, c.size);
}
INSTANTIATE_TEST_SUITE_P(Kill, CallMatrix, testing::ValuesIn(all_combinations()), name_of);

}  // namespace
}  // namespace weir::tests
