// SPDX-License-Identifier: BSL-1.0
// Maps and reductions of views.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <ranges>
#include <sstream>
#include <string>
#include <vector>

#include "support/session.hpp"

namespace weir::tests {
namespace {

using testing::ElementsAre;

class MapViews : public SessionTest {};

int square(int i) { return i * i; }

TEST_F(MapViews, TakesAViewOfIntegers) {
  start(2);
  EXPECT_THAT(session().map(square, std::views::iota(0, 5)), ElementsAre(0, 1, 4, 9, 16));
  EXPECT_THAT(session().map(square, std::views::iota(0) | std::views::take(3)), ElementsAre(0, 1, 4));
}

TEST_F(MapViews, TakesFilteredAndTransformedViews) {
  start(2);
  const std::vector<int> items{1, 2, 3, 4, 5, 6};
  auto even = items | std::views::filter([](int i) { return i % 2 == 0; });
  EXPECT_THAT(session().map(square, even), ElementsAre(4, 16, 36));
  int asked = 0;
  const auto texts = items | std::views::transform([&](int i) {
                       ++asked;
                       return std::string(static_cast<std::size_t>(i), 'x');
                     });
  EXPECT_THAT(session().map([](const std::string& s) { return s.size(); }, texts, {.batch_size = 2}),
              ElementsAre(1U, 2U, 3U, 4U, 5U, 6U));
  EXPECT_EQ(asked, 6);  // once for each item
}

TEST_F(MapViews, TakesARangeThatCanBeReadOnlyOnce) {
  start(2);
  std::istringstream in("5 6 7");
  EXPECT_THAT(session().map(square, std::views::istream<int>(in)), ElementsAre(25, 36, 49));
}

TEST_F(MapViews, ReducesLongViewsOfIntegersWithoutSendingThem) {
  for (const std::size_t more : {0U, 3U}) {
    if (more != 0) start(more);
    EXPECT_EQ(session().reduce([](long i) { return i; }, std::plus<>(), std::views::iota(0L, 20'000'000L)),
              199'999'990'000'000);
    EXPECT_EQ(session().reduce([](int i) { return long{i}; }, std::plus<>(),
                               std::views::iota(std::numeric_limits<int>::min(), std::numeric_limits<int>::min() + 3)),
              3L * std::numeric_limits<int>::min() + 3);
    EXPECT_EQ(session().reduce(square, std::plus<>(), std::views::iota(1, 4) | std::views::reverse), 14);
    EXPECT_EQ(session().reduce(square, std::plus<>(),
                               std::views::iota(0, 10) | std::views::filter([](int i) { return i > 7; })),
              64 + 81);
  }
}

}  // namespace
}  // namespace weir::tests
