// SPDX-License-Identifier: BSL-1.0
// Distributed arrays on workers: making them, where their elements are, what owners see of them.
#include "weir/distributed_array.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/names.hpp"
#include "support/session.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using grid = distributed_array<double, 2>;
using testing::ElementsAre;
using sizes = std::vector<std::size_t>;

class DistributedArray : public SessionTest {};

sizes local_bounds(const grid& d) {
  const auto part = d.local_indices();
  return {part[0].begin, part[0].end, part[1].begin, part[1].end};
}
double index_sum(std::size_t i, std::size_t j) { return static_cast<double>(100 * i + j); }
std::vector<double> counted(std::size_t count) {
  std::vector<double> values(count);
  std::iota(values.begin(), values.end(), 0);
  return values;
}

TEST_F(DistributedArray, IsDividedAmongAllWorkersOfTheSession) {
  const auto workers = start(4);
  const auto d = grid::zeros({100, 100});
  EXPECT_EQ(d.owners(), workers);
  EXPECT_EQ(d.owner_ids(), (std::vector<process_id>{2, 3, 4, 5}));
  EXPECT_EQ(d.grid(), (grid::extents_type{2, 2}));
  EXPECT_EQ(d.extents(), (grid::extents_type{100, 100}));
  EXPECT_EQ(d.blocks(), 4U);
  EXPECT_EQ(workers[0].fetch(local_bounds, d), (sizes{0, 50, 0, 50}));
  EXPECT_EQ(workers[1].fetch(local_bounds, d), (sizes{50, 100, 0, 50}));
  EXPECT_EQ(workers[2].fetch(local_bounds, d), (sizes{0, 50, 50, 100}));
  EXPECT_EQ(workers[3].fetch(local_bounds, d), (sizes{50, 100, 50, 100}));
}

TEST_F(DistributedArray, OfFiftyElementsOnFourWorkersBeginsAtThirteenTwentySixAndThirtyEight) {
  start(4);
  const auto d = distributed_array<int>::zeros({50});
  sizes begins;
  for (std::size_t b = 0; b < d.blocks(); ++b) begins.push_back(d.indices(b)[0].begin);
  EXPECT_EQ(begins, (sizes{0, 13, 26, 38}));
}

TEST_F(DistributedArray, IsDividedAsItIsTold) {
  const auto workers = start(4);
  const auto d = grid::filled({10, 10}, 1.5, {.owners = {workers[3], workers[1]}, .grid = {2, 1}});
  EXPECT_EQ(d.owners(), (std::vector<worker>{workers[3], workers[1]}));
  EXPECT_EQ(workers[3].fetch(local_bounds, d), (sizes{0, 5, 0, 10}));
  EXPECT_EQ(workers[1].fetch(local_bounds, d), (sizes{5, 10, 0, 10}));
  EXPECT_EQ(workers[0].fetch(local_bounds, d), (sizes{0, 0, 0, 0}));
  EXPECT_EQ(workers[0].fetch([](const grid& there) { return there.local().size(); }, d), 0U);
  EXPECT_EQ(d.gather(), std::vector<double>(100, 1.5));
}

TEST_F(DistributedArray, UsesFewerWorkersWhenThereAreMoreThanElementsUnlessTheyWereNamed) {
  const auto workers = start(3);
  EXPECT_EQ(distributed_array<int>::zeros({2}).owner_ids(), (std::vector<process_id>{2, 3}));
  EXPECT_THROW(static_cast<void>(distributed_array<int>::zeros({2}, {.owners = workers})), invalid_argument);
}

TEST_F(DistributedArray, BelongsToThisProcessWhenThereAreNoWorkers) {
  auto d = grid::from({4, 5}, index_sum);
  EXPECT_EQ(d.owner_ids(), std::vector<process_id>{1});
  EXPECT_EQ(d.local().size(), 20U);
  EXPECT_EQ(d.sum(), 3 * 4 / 2 * 100 * 5 + 4 * 10);
  EXPECT_TRUE(d.map([](double x) { return x; }) == d);
}

TEST_F(DistributedArray, CanHaveAPartOnTheControlProcess) {
  const auto workers = start(1);
  const auto d = distributed_array<process_id>::from({6}, [](std::size_t) { return my_id(); },
                                                     {.owners = {worker(kControlProcess), workers[0]}});
  EXPECT_EQ(d.gather(), (std::vector<process_id>{1, 1, 1, 2, 2, 2}));
}

TEST_F(DistributedArray, IsMadeOfWhatItIsToldByItsOwners) {
  start(3);
  EXPECT_EQ(grid::ones({3, 4}).gather(), std::vector<double>(12, 1));
  EXPECT_EQ(grid::zeros({3, 4}).gather(), std::vector<double>(12, 0));
  EXPECT_EQ(grid::from({2, 3}, index_sum).gather(), (std::vector<double>{0, 1, 2, 100, 101, 102}));
  EXPECT_EQ(grid::from({2, 2}, [](std::size_t i, std::size_t j) { return i == j ? 1 : 0; }).gather(),
            (std::vector<double>{1, 0, 0, 1}));
  EXPECT_EQ(grid::distribute(counted(6), {2, 3}).gather(), counted(6));
  EXPECT_EQ(distributed_array<double>::distribute(counted(7)).gather(), counted(7));
  const auto who = distributed_array<process_id>::from({6}, [](std::size_t) { return my_id(); });
  EXPECT_EQ(who.gather(), (std::vector<process_id>{2, 2, 3, 3, 4, 4}));
}

TEST_F(DistributedArray, DoesNotDistributeMoreOrFewerValuesThanThereAreElements) {
  try {
    static_cast<void>(grid::distribute(counted(5), {2, 3}));
    FAIL();
  } catch (const invalid_argument& e) {
    EXPECT_STREQ(e.what(), "weir: distribute: there are 5 values, expected: 6 (2x3)");
  }
}

TEST_F(DistributedArray, OfRandomNumbersDependsOnTheSeedAndNotOnTheDivision) {
  const auto workers = start(3);
  const auto on_three = grid::random({20, 30}, 7);
  const auto on_one = grid::random({20, 30}, 7, {.owners = {workers[1]}});
  EXPECT_EQ(on_three.gather(), on_one.gather());
  EXPECT_NE(on_three.gather(), grid::random({20, 30}, 8).gather());
  EXPECT_EQ(on_three.gather(), grid::random({20, 30}, 7, {.order = order::column_major}).gather());
  EXPECT_GE(on_three.min(), 0);
  EXPECT_LT(on_three.max(), 1);
  EXPECT_NEAR(on_three.sum() / 600, 0.5, 0.05);
}

TEST_F(DistributedArray, IsReadAndWrittenInPlaceByEveryProcess) {
  const auto workers = start(2);
  const auto d = grid::zeros({10, 10});
  d(3, 4) = 2;
  EXPECT_EQ(workers[0].fetch([](const grid& there) { return there(3, 4); }, d), 2);
  workers[1].fetch([](const grid& there) { there.at(9, 0) = 5; }, d);
  EXPECT_EQ(d(9, 0), 5);
  EXPECT_THROW(static_cast<void>(d.at(10, 0)), std::out_of_range);
  EXPECT_THROW(static_cast<void>(d.at(0, -1)), std::out_of_range);
}

TEST_F(DistributedArray, KnowsWhereAnElementIs) {
  const auto workers = start(4);
  const auto d = grid::zeros({100, 100});
  EXPECT_EQ(d.locate(0, 0), (grid::location{2, 0}));
  EXPECT_EQ(d.locate(50, 0), (grid::location{3, 1}));
  EXPECT_EQ(d.locate(49, 50), (grid::location{4, 2}));
  EXPECT_EQ(d.locate(99, 99), (grid::location{5, 3}));
  EXPECT_THROW(static_cast<void>(d.locate(100, 0)), std::out_of_range);
  EXPECT_THROW(static_cast<void>(d.indices(4)), std::out_of_range);
}

TEST_F(DistributedArray, GathersInTheOrderOfTheIndicesWhateverItsOwn) {
  start(2);
  const auto d = grid::distribute(counted(12), {3, 4}, {.order = order::column_major});
  EXPECT_EQ(d(1, 2), 6);
  EXPECT_EQ(d.local().size(), 0U);
  EXPECT_EQ(d.gather(), counted(12));
  EXPECT_EQ(d.storage().span()[1], 4);
}

TEST_F(DistributedArray, GivesAnOwnerItsBlockWithStrides) {
  const auto workers = start(4);
  const auto d = grid::from({6, 8}, index_sum);
  EXPECT_THAT(workers[3].fetch(
                  [](const grid& there) {
                    const auto block = there.local();
                    return std::vector<double>(block.begin(), block.end());
                  },
                  d),
              ElementsAre(304, 305, 306, 307, 404, 405, 406, 407, 504, 505, 506, 507));
  workers[1].fetch(
      [](const grid& there) {
        const auto block = there.local();
        for (double& each : block) each = -1;
        block(0, 0) = -2;
        block.at(2, 3) = static_cast<double>(block.strides()[0] + block.extent(1));
      },
      d);
  EXPECT_EQ(d(3, 0), -2);
  EXPECT_EQ(d(4, 2), -1);
  EXPECT_EQ(d(5, 3), 8 + 4);
  EXPECT_EQ(d(2, 3), 203);
  EXPECT_EQ(d(3, 4), 304);
}

TEST_F(DistributedArray, GivesAnOwnerTheEdgesOfItsNeighbours) {
  const auto workers = start(4);
  const auto d = grid::from({6, 8}, index_sum);
  const auto seen = [](const grid& there) {
    const auto h = there.halo(2);
    std::vector<double> values{static_cast<double>(h.begin_of(0)), static_cast<double>(h.end_of(0)),
                               static_cast<double>(h.begin_of(1)), static_cast<double>(h.end_of(1))};
    values.push_back(h(h.begin_of(0), h.begin_of(1)));
    values.push_back(h(h.end_of(0) - 1, h.end_of(1) - 1));
    values.push_back(h(0, 0));
    return values;
  };
  EXPECT_THAT(workers[0].fetch(seen, d), ElementsAre(0, 5, 0, 6, 0, 405, 0));
  EXPECT_THAT(workers[1].fetch(seen, d), ElementsAre(-2, 3, 0, 6, 100, 505, 300));
  EXPECT_THAT(workers[2].fetch(seen, d), ElementsAre(0, 5, -2, 4, 2, 407, 4));
  EXPECT_THAT(workers[3].fetch(seen, d), ElementsAre(-2, 3, -2, 4, 102, 507, 304));
  workers[3].fetch([](const grid& there) { there.halo(1)(-1, 0) = 7; }, d);  // in place: it is the neighbour's element
  EXPECT_EQ(d(2, 4), 7);
  EXPECT_THROW(workers[3].fetch([](const grid& there) { return there.halo(1).at(-2, 0); }, d), remote_error);
  EXPECT_THROW(workers[3].fetch([](const grid& there) { return there.halo(1).at(0, 4); }, d), remote_error);
}

TEST_F(DistributedArray, IsClippedToTheArrayWhereTheHaloIsWiderThanItsNeighbours) {
  const auto workers = start(3);
  const auto d = distributed_array<int>::zeros({5});
  const auto bounds = [](const distributed_array<int>& there) {
    const auto h = there.halo(100);
    return std::vector<std::ptrdiff_t>{h.begin_of(0), h.end_of(0)};
  };
  EXPECT_THAT(workers[0].fetch(bounds, d), ElementsAre(0, 5));
  EXPECT_THAT(workers[1].fetch(bounds, d), ElementsAre(-2, 3));
  EXPECT_THAT(workers[2].fetch(bounds, d), ElementsAre(-4, 1));
}

TEST_F(DistributedArray, TravelsThroughCallsResultsAndChannels) {
  const auto workers = start(2);
  const auto d = workers[0].fetch([] { return grid::filled({3, 3}, 2); });
  EXPECT_EQ(d.owner_ids(), (std::vector<process_id>{2, 3}));
  channel<grid> through(1);
  through.put(d);
  const grid same = through.take();
  EXPECT_EQ(same.storage(), d.storage());
  EXPECT_EQ(same.grid(), d.grid());
  const auto pair = workers[1].fetch([](const std::vector<grid>& all) { return all[0](0, 0) + all[1](2, 2); },
                                     std::vector<grid>{d, grid::ones({3, 3})});
  EXPECT_EQ(pair, 3);
}

TEST_F(DistributedArray, IsDividedAnewWithoutACopy) {
  const auto workers = start(3);
  const auto d = grid::from({6, 6}, index_sum, {.owners = {workers[0]}});
  const auto e = grid::over(d.storage(), {.owners = workers, .grid = {3, 1}});
  EXPECT_EQ(e.sum(), d.sum());
  EXPECT_EQ(workers[2].fetch([](const grid& there) { return there.local()(0, 0); }, e), 400);
  e(0, 0) = 1;
  EXPECT_EQ(d(0, 0), 1);
}

TEST_F(DistributedArray, NamesAnExtentOfZeroAndTheLack) {
  start(1);
  try {
    static_cast<void>(grid::zeros({3, 0}));
    FAIL();
  } catch (const invalid_argument& e) {
    EXPECT_STREQ(e.what(), "weir: make weir::distributed_array<double, 2>: the extents are 3x0, expected: none is 0");
  }
  EXPECT_THROW(static_cast<void>(grid::zeros({std::size_t{1} << 40, std::size_t{1} << 40})), invalid_argument);
  EXPECT_THROW(static_cast<void>(grid::zeros({2, 2}, {.owners = {worker()}})), invalid_argument);
  EXPECT_THROW(static_cast<void>(grid::zeros({2, 2}, {.grid = {3, 1}})), invalid_argument);
}

TEST_F(DistributedArray, ThatIsNoneThrows) {
  const grid none;
  EXPECT_FALSE(none);
  EXPECT_THROW(static_cast<void>(none.extents()), invalid_argument);
  EXPECT_THROW(static_cast<void>(none.sum()), invalid_argument);
  EXPECT_THROW(static_cast<void>(none.storage()), invalid_argument);
  EXPECT_TRUE(none == grid());
  EXPECT_FALSE(none == grid::ones({1, 1}));
}

class NamedStorage : public NamedSegments {};

TEST_F(NamedStorage, IsDividedOnceMoreByTheNextSession) {
  const auto storage = array<double, 2>::create(name(), {4, 4});
  for (int run = 1; run <= 2; ++run) {
    session s;
    s.add_workers(2);
    const auto d = grid::over(array<double, 2>::open(name()));
    d.map_inplace([](double x) { return x + 1; });
    EXPECT_EQ(d.sum(), 16 * run);
  }
  EXPECT_EQ(storage(3, 3), 2);
  array<double, 2>::remove(name());
}

}  // namespace
}  // namespace weir::tests
