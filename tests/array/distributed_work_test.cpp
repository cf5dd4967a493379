// SPDX-License-Identifier: BSL-1.0
// Whole-array operations of distributed arrays, done by the owners.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/session.hpp"
#include "weir/channel.hpp"
#include "weir/distributed_array.hpp"

namespace weir::tests {
namespace {

using grid = distributed_array<double, 2>;
using row = distributed_array<double>;
using cube = distributed_array<int, 3>;

class DistributedWork : public SessionTest {};

double add_one(double x) { return x + 1; }
double two_digits(std::size_t i, std::size_t j) { return static_cast<double>(10 * i + j); }

TEST_F(DistributedWork, MapMakesANewArrayOfTheSameDivision) {
  start(4);
  const auto d = grid::from({7, 9}, two_digits);
  const auto plus_one = d.map(add_one);
  EXPECT_EQ(plus_one.owner_ids(), d.owner_ids());
  EXPECT_EQ(plus_one.grid(), d.grid());
  std::vector<double> expected = d.gather();
  for (double& each : expected) each += 1;
  EXPECT_EQ(plus_one.gather(), expected);
  const distributed_array<int, 2> other_type = d.map([](double x) { return static_cast<int>(x) % 2; });
  EXPECT_EQ(other_type(1, 3), 1);
  EXPECT_EQ(d(1, 3), 13);
}

TEST_F(DistributedWork, IsDoneByTheOwnersEachOnItsPart) {
  start(3);
  const auto who = row::zeros({9}).map([](double) { return my_id(); });
  EXPECT_EQ(who.gather(), (std::vector<process_id>{2, 2, 2, 3, 3, 3, 4, 4, 4}));
}

TEST_F(DistributedWork, RunsOnAllOwnersAtTheSameTime) {
  start(3);
  channel<int> arrived(8);
  // Each owner waits until all have come.
  const auto meet = row::zeros({3});
  session().everywhere([](const channel<int>& c) { globals().set("arrived", c); }, arrived);
  meet.map_inplace([](double) {
    auto all = globals().get<channel<int>>("arrived");
    all.put(1);
    while (all.size() < 3) std::this_thread::yield();
    return 1.0;
  });
  EXPECT_EQ(meet.sum(), 3);
  globals().erase("arrived");
}

TEST_F(DistributedWork, MapsInPlace) {
  start(2);
  const auto d = grid::from({5, 5}, two_digits);
  d.map_inplace([](double x) { return -x; });
  EXPECT_EQ(d(4, 4), -44);
  EXPECT_EQ(d(0, 1), -1);
}

TEST_F(DistributedWork, ReducesByTheOwnersThenHere) {
  start(3);
  const auto d = cube::from({4, 5, 6}, [](int i, int j, int k) { return 1 + i + 10 * j + 100 * k; });
  const std::vector<int> all = d.gather();
  EXPECT_EQ(d.reduce(std::plus<>()), std::accumulate(all.begin(), all.end(), 0));
  EXPECT_EQ(d.reduce([](int a, int b) { return std::max(a, b); }), 1 + 3 + 40 + 500);
  EXPECT_EQ(d.reduce(std::plus<>(), 1000), 1000 + std::accumulate(all.begin(), all.end(), 0));
  EXPECT_EQ(d.reduce(std::plus<>(), 0.5), 0.5 + std::accumulate(all.begin(), all.end(), 0));
}

TEST_F(DistributedWork, FoldsInTheOrderOfTheElements) {
  start(4);
  const auto digits = distributed_array<std::uint64_t>::from({9}, [](std::uint64_t i) { return i + 1; });
  // Associative, but not commutative.
  EXPECT_EQ(digits.reduce([](std::uint64_t a, std::uint64_t b) {
    std::uint64_t scale = 1;
    while (scale <= b) scale *= 10;
    return a * scale + b;
  }),
            123456789U);
}

TEST_F(DistributedWork, SumsSmallIntegersInLargeOnes) {
  start(2);
  EXPECT_EQ(distributed_array<std::int8_t>::filled({1000}, -100).sum(), std::int64_t{-100000});
  EXPECT_EQ(distributed_array<bool>::filled({1000}, true).sum(), std::uint64_t{1000});
  EXPECT_EQ(distributed_array<float>::filled({1000}, 0.5F).sum(), 500.0F);
}

TEST_F(DistributedWork, FindsTheLeastAndTheLargest) {
  start(3);
  const auto d = grid::from({10, 10}, [](int i, int j) { return std::abs(i - 3) + std::abs(j - 8) - 2; });
  EXPECT_EQ(d.min(), -2);
  EXPECT_EQ(d.max(), 6 + 8 - 2);
  d(5, 5) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isnan(d.min()));
  EXPECT_TRUE(std::isnan(d.max()));
}

TEST_F(DistributedWork, MultipliesAndMeasures) {
  const auto workers = start(4);
  const auto a = grid::from({6, 7}, two_digits);
  const auto b =
      grid::from({6, 7}, [](int i, int j) { return i - j; }, {.owners = {workers[2]}, .order = order::column_major});
  const std::vector<double> as = a.gather();
  const std::vector<double> bs = b.gather();
  EXPECT_DOUBLE_EQ(a.dot(b), std::inner_product(as.begin(), as.end(), bs.begin(), 0.0));
  EXPECT_DOUBLE_EQ(b.dot(a), a.dot(b));
  EXPECT_DOUBLE_EQ(a.norm(), std::sqrt(std::inner_product(as.begin(), as.end(), as.begin(), 0.0)));
  EXPECT_DOUBLE_EQ(distributed_array<int>::filled({4}, 3).norm(), 6);
  EXPECT_THROW(static_cast<void>(a.dot(grid::ones({7, 6}))), invalid_argument);
}

TEST_F(DistributedWork, MeasuresWithoutOverflow) {
  start(2);
  EXPECT_DOUBLE_EQ(row::filled({4}, 1e300).norm(), 2e300);
  EXPECT_DOUBLE_EQ(row::filled({4}, -1e-300).norm(), 2e-300);
  EXPECT_EQ(row::zeros({4}).norm(), 0);
  EXPECT_TRUE(std::isnan(row::filled({4}, std::numeric_limits<double>::quiet_NaN()).norm()));
  EXPECT_TRUE(std::isinf(row::filled({4}, -std::numeric_limits<double>::infinity()).norm()));
}

TEST_F(DistributedWork, CopiesAndCompares) {
  const auto workers = start(4);
  const auto d = grid::from({9, 5}, two_digits);
  const auto copy = d.copy();
  EXPECT_FALSE(copy.storage() == d.storage());
  EXPECT_TRUE(copy == d);
  EXPECT_TRUE(d == grid::from({9, 5}, two_digits, {.owners = {workers[1]}, .order = order::column_major}));
  copy(8, 4) += 1;
  EXPECT_FALSE(copy == d);
  EXPECT_TRUE(copy != d);
  EXPECT_FALSE(d == grid::ones({5, 9}));
}

TEST_F(DistributedWork, OfAnArrayInColumnOrderIsTheSame) {
  start(4);
  const distributed_options columns{.order = order::column_major};
  const auto d = grid::from({7, 9}, two_digits, columns);
  EXPECT_TRUE(d == grid::from({7, 9}, two_digits));
  EXPECT_EQ(d.map(add_one).storage().order(), order::column_major);
  EXPECT_EQ(d.map(add_one)(6, 8), 69);
  EXPECT_EQ(d.sum(), grid::from({7, 9}, two_digits).sum());
  EXPECT_TRUE(d.copy() == d);
  const auto e = cube::from(
      {3, 4, 5}, [](int i, int j, int k) { return 100 * i + 10 * j + k; }, columns);
  EXPECT_EQ(e(2, 3, 4), 234);
  EXPECT_EQ(e(1, 0, 3), 103);
}

TEST_F(DistributedWork, SortsAcrossAllOwners) {
  for (const std::size_t workers : {1U, 1U, 2U}) {  // 1, 2 and 4 in all
    start(workers);
    for (const std::size_t size : {1U, 2U, 5U, 100U, 1001U, 20000U}) {
      const auto d = row::random({size}, size);
      std::vector<double> expected = d.gather();
      std::sort(expected.begin(), expected.end());
      d.sort();
      EXPECT_EQ(d.gather(), expected) << size;
      std::reverse(expected.begin(), expected.end());
      EXPECT_EQ(d.sort(std::greater<>()).gather(), expected) << size;
    }
  }
}

TEST_F(DistributedWork, SortsWhatIsSortedReversedOrAllEqual) {
  start(3);
  const auto up = distributed_array<int>::from({1000}, [](int i) { return i; });
  const auto down = distributed_array<int>::from({1000}, [](int i) { return 999 - i; });
  const auto few = distributed_array<int>::from({1000}, [](int i) { return i * 7 % 3; });
  std::vector<int> expected_few = few.gather();
  std::sort(expected_few.begin(), expected_few.end());
  EXPECT_TRUE(down.sort() == up);
  EXPECT_TRUE(up.copy().sort() == up);
  EXPECT_EQ(few.sort().gather(), expected_few);
}

struct keyed {
  int key = 0;
  int place = 0;
  friend bool operator==(const keyed&, const keyed&) = default;
};

TEST_F(DistributedWork, SortsLeavingEqualElementsInTheirOrder) {
  start(4);
  const auto d = distributed_array<keyed>::from({2000}, [](int i) { return keyed{i * 31 % 5, i}; });
  std::vector<keyed> expected = d.gather();
  const auto by_key = [](const keyed& a, const keyed& b) { return a.key < b.key; };
  std::stable_sort(expected.begin(), expected.end(), by_key);
  EXPECT_EQ(d.sort(by_key).gather(), expected);
}

TEST_F(DistributedWork, SortsWhatIsNotANumberToTheEnd) {
  start(2);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto d = row::distribute(std::vector<double>{nan, 3, nan, -1, 2, nan, 0});
  const std::vector<double> sorted = d.sort().gather();
  EXPECT_EQ(std::vector<double>(sorted.begin(), sorted.begin() + 4), (std::vector<double>{-1, 0, 2, 3}));
  EXPECT_TRUE(std::isnan(sorted[4]) && std::isnan(sorted[5]) && std::isnan(sorted[6]));
}

TEST_F(DistributedWork, ThrowsWhatAFunctionThrowsOnAnOwner) {
  start(3);
  const auto d = row::from({9}, [](std::size_t i) { return static_cast<double>(i); });
  try {
    d.map_inplace([](double x) {
      if (x > 4) throw std::domain_error("too large");
      return x + 1;
    });
    FAIL();
  } catch (const remote_error& e) {
    EXPECT_STREQ(e.what(), "On worker 3: std::domain_error: too large");  // the first in the order of the blocks
  }
  EXPECT_EQ(d(0), 1);
}

TEST_F(DistributedWork, ThrowsWorkerDiedOnceAnOwnerHasGoneAndKeepsTheElements) {
  const auto workers = start(3);
  const auto d = row::from({9}, [](std::size_t i) { return static_cast<double>(i); });
  workers[1].post([] { ::raise(SIGKILL); });
  ASSERT_TRUE(comes_true([&] { return session().workers().size() == 2; }));
  try {
    static_cast<void>(d.sum());
    FAIL();
  } catch (const worker_died& e) {
    EXPECT_EQ(e.id(), 3U);
  }
  EXPECT_EQ(d(4), 4);
  session().add_workers(1);
  const auto again = row::over(d.storage());
  EXPECT_EQ(again.owner_ids(), (std::vector<process_id>{2, 4, 5}));
  EXPECT_EQ(again.sum(), 36);
}

TEST_F(DistributedWork, ThrowsWorkerDiedWhenAnOwnerIsKilledInTheMiddle) {
  start(3);
  const auto d = row::ones({9});
  try {
    d.map_inplace([](double x) {
      if (my_id() == 4) ::raise(SIGKILL);
      return x + 1;
    });
    FAIL();
  } catch (const worker_died& e) {
    EXPECT_EQ(e.id(), 4U);
    EXPECT_EQ(e.signal(), SIGKILL);
  }
  EXPECT_EQ(d.gather(), (std::vector<double>{2, 2, 2, 2, 2, 2, 1, 1, 1}));
}

TEST_F(DistributedWork, IsDoneFromAWorkerToo) {
  const auto workers = start(3);
  const auto d = grid::ones({30, 30});
  EXPECT_EQ(workers[1].fetch([](const grid& there) { return there.map(add_one).sum(); }, d), 1800);
  std::vector<future<double>> sums;
  for (const worker& each : workers) sums.push_back(each.call([](const grid& there) { return there.sum(); }, d));
  for (const auto& each : sums) EXPECT_EQ(each.get(), 900);  // each waits for the others, and serves them meanwhile
}

template <class D>
std::string text_of(const D& d) {
  std::ostringstream out;
  out << d;
  return out.str();
}

TEST_F(DistributedWork, PrintsASmallArrayWhole) {
  start(2);
  EXPECT_EQ(text_of(grid::from({2, 3}, two_digits)),
            "distributed_array<double, 2> 2x3 in 1x2 blocks on workers 2, 3\n"
            "[[ 0,  1,  2],\n"
            " [10, 11, 12]]");
  EXPECT_EQ(text_of(distributed_array<std::int8_t>::from({3}, [](int i) { return 65 + i; })),
            "distributed_array<signed char, 1> 3 in 2 blocks on workers 2, 3\n[65, 66, 67]");
  EXPECT_EQ(text_of(cube::filled({2, 2, 2}, 7)),
            "distributed_array<int, 3> 2x2x2 in 1x1x2 blocks on workers 2, 3\n"
            "[[[7, 7],\n  [7, 7]],\n\n [[7, 7],\n  [7, 7]]]");
  EXPECT_EQ(text_of(distributed_array<keyed>::zeros({2})),
            "distributed_array<weir::tests::(anonymous namespace)::keyed, 1> 2 in 2 blocks on workers 2, 3");
  EXPECT_EQ(text_of(grid()), "distributed_array<double, 2>()");
}

TEST_F(DistributedWork, PrintsTheCornersOfALargeArray) {
  const auto workers = start(1);
  EXPECT_EQ(text_of(grid::from({1000, 1000}, [](int i, int j) { return i + j; })),
            "distributed_array<double, 2> 1000x1000 in 1x1 block on worker 2\n"
            "[[   0,    1,    2, ...,  997,  998,  999],\n"
            " [   1,    2,    3, ...,  998,  999, 1000],\n"
            " [   2,    3,    4, ...,  999, 1000, 1001],\n"
            " ...,\n"
            " [ 997,  998,  999, ..., 1994, 1995, 1996],\n"
            " [ 998,  999, 1000, ..., 1995, 1996, 1997],\n"
            " [ 999, 1000, 1001, ..., 1996, 1997, 1998]]");
  EXPECT_EQ(text_of(row::filled({1000000}, 0.25)),
            "distributed_array<double, 1> 1000000 in 1 block on worker 2\n"
            "[0.25, 0.25, 0.25, ..., 0.25, 0.25, 0.25]");
}

}  // namespace
}  // namespace weir::tests
