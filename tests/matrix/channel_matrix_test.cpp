// SPDX-License-Identifier: BSL-1.0
// A process is killed at each point of the library's code that it comes by in its role on a channel, for each number of
// putters and takers and each kind of payload. The others lose, double and tear nothing, and wait for nobody dead.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "points.hpp"

namespace weir::tests {
namespace {

struct combination {
  plan what;
  payload of;
  shape how_many;
};

std::string name_of(const testing::TestParamInfo<combination>& given) {
  constexpr std::array<std::string_view, 3> kPayloadNames{"fixed", "piece", "block"};
  const combination& c = given.param;
  std::string name = fmt::format("{}_{}_{}_{}_{}", name_of(c.what.victim), c.what.point,
                                 kPayloadNames.at(static_cast<std::size_t>(c.of)),
                                 kShapeNames.at(static_cast<std::size_t>(c.how_many)), given.index);
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

void PrintTo(const combination& c, std::ostream* out) { *out << c.what.point << " hit " << c.what.hit; }

std::vector<combination> all_combinations() {
  std::vector<combination> all;
  for (const channel_passage& each : kChannelPassages) {
    for_each_point(each.points, [&](std::string_view point) {
      for (const shape how_many : kShapes) {
        for (const payload of : {payload::fixed, payload::piece, payload::block}) {
          if ((each.payloads & (1U << static_cast<unsigned>(of))) == 0) continue;
          all.push_back({{each.victim, point, each.hit, each.before, each.others}, of, how_many});
        }
      }
    });
  }
  return all;
}

class ChannelMatrix : public testing::TestWithParam<combination> {};

TEST_P(ChannelMatrix, NobodyIsHeldUpAndNothingIsLostDoubledOrTorn) {
  const combination& c = GetParam();
  switch (c.of) {
    case payload::fixed: scenario<payload::fixed>(c.what, c.how_many).run(); break;
    case payload::piece: scenario<payload::piece>(c.what, c.how_many).run(); break;
    case payload::block: scenario<payload::block>(c.what, c.how_many).run(); break;
  }
}
INSTANTIATE_TEST_SUITE_P(Kill, ChannelMatrix, testing::ValuesIn(all_combinations()), name_of);

}  // namespace
}  // namespace weir::tests
