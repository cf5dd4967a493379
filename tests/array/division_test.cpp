// SPDX-License-Identifier: BSL-1.0
// The rules of DistributedArrays.jl, with its results as defaultdist(dims, pids) and defaultdist(sz, nc) give them (from
// 1 there, from 0 here).
#include "weir/detail/division.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <numeric>
#include <string>
#include <vector>

#include "weir/error.hpp"

namespace weir::tests {
namespace {

using detail::choose_grid;
using detail::cut;
using detail::division;
using numbers = std::vector<std::size_t>;

std::vector<process_id> processes(std::size_t count) {
  std::vector<process_id> all(count);
  std::iota(all.begin(), all.end(), process_id{2});
  return all;
}
division divided(const numbers& extents, std::size_t owners, const numbers& grid = {}, bool named = true) {
  return division("make grid", extents, {processes(owners), named, grid});
}
std::string refusal(const numbers& extents, std::vector<process_id> owners, const numbers& grid = {}) {
  try {
    const division made("make grid", extents, {std::move(owners), true, grid});
  } catch (const invalid_argument& e) {
    return e.what();
  }
  return "it was made";
}

TEST(Division, OfFiftyByFourBeginsAtTheNumbersOfJulia) { EXPECT_EQ(cut(50, 4), (numbers{0, 13, 26, 38, 50})); }

TEST(Division, GivesTheRemainderToTheFirstParts) {
  struct row {
    std::size_t extent, parts;
    numbers cuts;
  };
  for (const row& each : std::vector<row>{{1, 1, {0, 1}},
                                          {10, 1, {0, 10}},
                                          {10, 3, {0, 4, 7, 10}},
                                          {100, 3, {0, 34, 67, 100}},
                                          {100, 6, {0, 17, 34, 51, 68, 84, 100}},
                                          {7, 7, {0, 1, 2, 3, 4, 5, 6, 7}},
                                          {8, 7, {0, 2, 3, 4, 5, 6, 7, 8}}}) {
    EXPECT_EQ(cut(each.extent, each.parts), each.cuts) << each.extent << " over " << each.parts;
  }
}

TEST(Division, OfTwoMoreThanTheWorkersButOneGivesOneElementMoreToTheFirst) {
  for (std::size_t p = 1; p <= 40; ++p) {
    const division d = divided({2 + p}, p + 1);
    ASSERT_EQ(d.grid(), numbers{p + 1});
    EXPECT_EQ(d.end_of(0, 0), 2U);
    for (std::size_t b = 1; b <= p; ++b) {
      EXPECT_EQ(d.begin_of(b, 0), b + 1);
      EXPECT_EQ(d.end_of(b, 0), b + 2);
    }
  }
}

TEST(Division, GivesTheLargestFactorToTheLongestDimension) {
  struct row {
    numbers extents;
    std::size_t owners;
    numbers grid;
  };
  for (const row& each : std::vector<row>{{{50}, 4, {4}},
                                          {{100, 100}, 1, {1, 1}},
                                          {{100, 100}, 2, {1, 2}},  // of equally long ones the last
                                          {{100, 100}, 3, {1, 3}},
                                          {{100, 100}, 4, {2, 2}},
                                          {{100, 100}, 6, {2, 3}},
                                          {{100, 100}, 8, {2, 4}},
                                          {{100, 100}, 12, {4, 3}},
                                          {{100, 50}, 2, {2, 1}},
                                          {{100, 50}, 4, {2, 2}},
                                          {{1000, 10}, 4, {4, 1}},
                                          {{1000, 10}, 6, {6, 1}},
                                          {{10, 1000}, 6, {1, 6}},
                                          {{100, 100, 10}, 4, {2, 2, 1}},
                                          {{8, 8, 8}, 8, {2, 2, 2}},
                                          {{4, 4, 4}, 30, {1, 2, 3}},  // the 5 fits nowhere
                                          {{3, 3}, 7, {1, 1}}}) {
    EXPECT_EQ(choose_grid(each.extents, each.owners), each.grid)
        << detail::extents_text(each.extents) << " over " << each.owners;
  }
}

TEST(Division, OfASquareOverTwoFourAndSixWorkersHasTheBlocksOfJulia) {
  struct row {
    std::size_t block;
    std::size_t begin0, end0, begin1, end1;
  };
  const auto check = [](const division& d, const std::vector<row>& expected) {
    ASSERT_EQ(d.blocks(), expected.size());
    for (const row& each : expected) {
      EXPECT_EQ(d.begin_of(each.block, 0), each.begin0) << each.block;
      EXPECT_EQ(d.end_of(each.block, 0), each.end0) << each.block;
      EXPECT_EQ(d.begin_of(each.block, 1), each.begin1) << each.block;
      EXPECT_EQ(d.end_of(each.block, 1), each.end1) << each.block;
    }
  };
  check(divided({100, 100}, 2), {{0, 0, 100, 0, 50}, {1, 0, 100, 50, 100}});
  check(divided({100, 100}, 4), {{0, 0, 50, 0, 50}, {1, 50, 100, 0, 50}, {2, 0, 50, 50, 100}, {3, 50, 100, 50, 100}});
  check(divided({100, 100}, 6), {{0, 0, 50, 0, 34},
                                 {1, 50, 100, 0, 34},
                                 {2, 0, 50, 34, 67},
                                 {3, 50, 100, 34, 67},
                                 {4, 0, 50, 67, 100},
                                 {5, 50, 100, 67, 100}});
}

TEST(Division, FindsTheBlockOfEachElement) {
  const division d = divided({7, 11, 5}, 12, {2, 3, 2});
  for (std::size_t i = 0; i < 7; ++i) {
    for (std::size_t j = 0; j < 11; ++j) {
      for (std::size_t k = 0; k < 5; ++k) {
        const numbers indices{i, j, k};
        const std::size_t b = d.block_at(indices);
        for (std::size_t n = 0; n < 3; ++n) {
          EXPECT_LE(d.begin_of(b, n), indices[n]);
          EXPECT_LT(indices[n], d.end_of(b, n));
        }
      }
    }
  }
  EXPECT_EQ(d.block_of(4), 2U);
  EXPECT_EQ(d.block_of(1), d.blocks());
}

TEST(Division, ChoosesThePartsThatTheGridLeavesOpen) {
  EXPECT_EQ(divided({100, 100}, 4, {0, 1}).grid(), (numbers{4, 1}));
  EXPECT_EQ(divided({100, 100}, 4, {1, 0}).grid(), (numbers{1, 4}));
  EXPECT_EQ(divided({100, 100}, 6, {0, 2}).grid(), (numbers{3, 2}));
  EXPECT_EQ(divided({100, 100}, 7, {3, 2}).owners(), processes(6));  // as Julia: the first ones
}

TEST(Division, UsesFewerOfTheSessionsWorkersWhenTheArrayIsSmall) {
  EXPECT_EQ(divided({3}, 8, {}, /*named=*/false).owners(), processes(3));
  EXPECT_EQ(divided({2, 2}, 8, {}, /*named=*/false).grid(), (numbers{1, 2}));
  EXPECT_EQ(divided({3, 3}, 7).owners(), processes(1));
}

TEST(Division, RefusesWhatCannotBeDivided) {
  EXPECT_EQ(refusal({10, 0}, processes(2)), "weir: make grid: the extents are 10x0, expected: none is 0");
  EXPECT_EQ(refusal({2, 2}, processes(5)), "weir: make grid: there are 5 owners for 4 elements, expected: not more");
  EXPECT_EQ(refusal({9}, {}), "weir: make grid: there is no owner");
  EXPECT_EQ(refusal({9}, {2, 3, 2}), "weir: make grid: worker 2 is named twice, expected: once");
  EXPECT_EQ(refusal({9}, {0}), "weir: make grid: one of the owners is a handle to no process");
  EXPECT_EQ(refusal({9, 9}, processes(4), {4}), "weir: make grid: the grid 4 has 1 dimensions, expected: 2");
  EXPECT_EQ(refusal({3, 9}, processes(4), {4, 1}),
            "weir: make grid: the grid 4x1 divides 3 elements into 4 parts, expected: not more");
  EXPECT_EQ(refusal({9, 9}, processes(4), {2, 3}),
            "weir: make grid: the grid 2x3 has more parts than there are owners (4)");
  EXPECT_EQ(refusal({9, 9}, processes(4), {8, 0}),
            "weir: make grid: the grid 8x0 has more parts than there are owners (4)");
}

TEST(Division, TravelsAsText) {
  const division d = divided({100, 100}, 6);
  EXPECT_EQ(d.query(), "?grid=2x3&owners=2,3,4,5,6,7");
  const numbers extents{100, 100};
  EXPECT_EQ(division(extents, d.query()), d);
  for (const char* forged : {"", "?grid=2x3", "?grid=2x3&owners=", "?grid=2x3&owners=2,3", "?grid=2&owners=2,3",
                             "?grid=0x1&owners=2", "?grid=200x1&owners=2", "?grid=2x&owners=2,3", "?grid=1x1&owners=x",
                             "?grid=18446744073709551615x2&owners=2,3", "?grid=1x1&owners=2,", "?grid=1x-1&owners=2"}) {
    EXPECT_THROW(division(extents, forged), corrupt_segment) << forged;
  }
}

}  // namespace
}  // namespace weir::tests
