// SPDX-License-Identifier: BSL-1.0
// Views of a block and of its surroundings, sorted runs: what needs neither shared memory nor workers.
#include "weir/distributed_views.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <iterator>
#include <numeric>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "weir/detail/distributed_sort.hpp"

namespace weir::tests {
namespace {

using view = block_view<int, 2>;
static_assert(std::forward_iterator<view::iterator>);

std::vector<int> counted(std::size_t count) {
  std::vector<int> values(count);
  std::iota(values.begin(), values.end(), 0);
  return values;
}

class Views : public testing::Test {
 protected:
  std::vector<int> all_ = counted(6 * 10);          // an array of 6x10
  view block_{&all_[2 * 10 + 3], {3, 4}, {10, 1}};  // rows 2 to 4, columns 3 to 6
  halo_view<int, 2> halo_{block_, {-2, -1}, {4, 5}};
};

TEST_F(Views, GoThroughABlockRowByRow) {
  EXPECT_EQ(std::vector<int>(block_.begin(), block_.end()),
            (std::vector<int>{23, 24, 25, 26, 33, 34, 35, 36, 43, 44, 45, 46}));
  EXPECT_EQ(block_.size(), 12U);
  EXPECT_EQ(block_.extent(1), 4U);
}

TEST_F(Views, GoThroughColumnsThatLieSideBySide) {
  const view columns(&all_[0], {2, 3}, {1, 20});
  EXPECT_EQ(std::vector<int>(columns.begin(), columns.end()), (std::vector<int>{0, 20, 40, 1, 21, 41}));
}

TEST_F(Views, OfNothingAreEmpty) {
  EXPECT_TRUE(view().empty());
  EXPECT_EQ(view().begin(), view().end());
  EXPECT_EQ(view(&all_[0], {3, 0}, {10, 1}).begin(), view(&all_[0], {3, 0}, {10, 1}).end());
}

TEST_F(Views, CheckIndicesInAt) {
  EXPECT_EQ(block_.at(2, 3), 46);
  EXPECT_THROW(static_cast<void>(block_.at(3, 0)), std::out_of_range);
  EXPECT_THROW(static_cast<void>(block_.at(0, 4)), std::out_of_range);
  EXPECT_THROW(static_cast<void>(block_.at(-1, 0)), std::out_of_range);
  EXPECT_EQ(halo_.at(-2, -1), 2);
  EXPECT_EQ(halo_.at(3, 4), 57);
  EXPECT_THROW(static_cast<void>(halo_.at(-3, 0)), std::out_of_range);
  EXPECT_THROW(static_cast<void>(halo_.at(0, 5)), std::out_of_range);
}

TEST_F(Views, ReachAroundTheBlock) {
  EXPECT_EQ(halo_(0, 0), block_(0, 0));
  EXPECT_EQ(halo_(-1, 0), 13);
  EXPECT_EQ(halo_(0, -1), 22);
  EXPECT_EQ(halo_.begin_of(0), -2);
  EXPECT_EQ(halo_.end_of(1), 5);
  EXPECT_EQ(halo_.block().data(), block_.data());
}

/// A value and which run it is in: equal values of different runs are told apart.
using marked = std::pair<int, std::size_t>;
bool by_value(const marked& a, const marked& b) { return a.first < b.first; }

TEST(Runs, AreSplitAndMergedAsIfAllWereSortedTogether) {
  unsigned state = 1;
  const auto next = [&] { return (state = state * 1664525 + 1013904223) >> 16; };
  for (int round = 0; round < 300; ++round) {
    std::vector<std::vector<marked>> values(1 + next() % 5);
    std::vector<marked> all;
    for (std::size_t r = 0; r < values.size(); ++r) {
      for (std::size_t n = next() % 20; n > 0; --n) values[r].emplace_back(next() % 10, r);
      std::stable_sort(values[r].begin(), values[r].end(), by_value);
      all.insert(all.end(), values[r].begin(), values[r].end());
    }
    std::stable_sort(all.begin(), all.end(), by_value);
    const std::vector<std::span<const marked>> runs(values.begin(), values.end());
    for (std::size_t rank = 0; rank <= all.size(); ++rank) {
      const auto split = detail::split_runs<marked>(runs, rank, by_value);
      std::vector<std::span<const marked>> first;
      for (std::size_t r = 0; r < runs.size(); ++r) first.push_back(runs[r].first(split[r]));
      ASSERT_EQ(std::accumulate(split.begin(), split.end(), std::size_t{0}), rank);
      std::vector<marked> merged(rank);
      detail::merge_runs<marked>(first, merged.data(), by_value);
      ASSERT_TRUE(std::equal(merged.begin(), merged.end(), all.begin())) << "round " << round << ", rank " << rank;
    }
  }
}

}  // namespace
}  // namespace weir::tests
