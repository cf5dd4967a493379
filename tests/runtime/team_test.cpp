// SPDX-License-Identifier: BSL-1.0
// Collective operations of teams of several sizes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <complex>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "support/session.hpp"
#include "weir/channel.hpp"
#include "weir/spmd.hpp"

namespace weir::tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct point {
  std::int32_t x = 0;
  double y = 0;
  friend bool operator==(const point&, const point&) = default;
};

using dictionary = std::map<std::string, std::vector<int>>;

/// A value of each kind of type that is another on each rank.
template <class T>
T value_of(std::size_t rank);
template <>
int value_of<int>(std::size_t rank) {
  return static_cast<int>(rank) * 3 + 1;
}
template <>
bool value_of<bool>(std::size_t rank) {
  return rank % 2 == 0;
}
template <>
double value_of<double>(std::size_t rank) {
  return 0.1 * static_cast<double>(rank + 1);
}
template <>
std::string value_of<std::string>(std::size_t rank) {
  return std::string(rank * 700, 'a') + std::to_string(rank);
}
template <>
point value_of<point>(std::size_t rank) {
  return {static_cast<int>(rank), 0.5};
}
template <>
std::vector<double> value_of<std::vector<double>>(std::size_t rank) {
  return std::vector<double>(rank * 1000, value_of<double>(rank));
}
template <>
dictionary value_of<dictionary>(std::size_t rank) {
  return {{"rank", {static_cast<int>(rank)}}, {std::string(300, 'k'), std::vector<int>(rank * 100, 7)}};
}

/// What is wrong; empty: nothing. On a worker nothing can be expected.
class findings {
 public:
  void expect(bool holds, const std::string& what) {
    if (!holds) text_ += what + "; ";
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

template <class T>
std::string try_moving_values(team& team) {
  findings found;
  const std::size_t me = team.rank();
  const std::size_t size = team.size();
  const T mine = value_of<T>(me);
  std::vector<T> all;
  for (std::size_t r = 0; r < size; ++r) all.push_back(value_of<T>(r));
  for (std::size_t root = 0; root < size; ++root) {
    found.expect(team.broadcast(mine, root) == value_of<T>(root), "broadcast");
    found.expect(team.gather(mine, root) == (me == root ? all : std::vector<T>()), "gather");
    std::vector<T> range;
    if (me == root) {
      for (std::size_t i = 0; i < 2 * size; ++i) range.push_back(value_of<T>(i));
    }
    const std::vector<T> part = team.scatter(range, root);
    found.expect(part.size() == 2 && part[0] == value_of<T>(2 * me) && part[1] == value_of<T>(2 * me + 1), "scatter");
    const std::list<T> elsewhere(range.begin(), range.end());
    found.expect(team.scatter(elsewhere, root) == part, "scatter of a list");
  }
  found.expect(team.all_gather(mine) == all, "all_gather");
  std::vector<T> for_each;
  for (std::size_t r = 0; r < size; ++r) for_each.push_back(value_of<T>(10 * me + r));
  const std::vector<T> from_each = team.all_to_all(for_each);
  found.expect(from_each.size() == size, "size of all_to_all");
  for (std::size_t r = 0; r < from_each.size(); ++r) {
    found.expect(from_each[r] == value_of<T>(10 * r + me), "all_to_all");
  }
  const std::size_t next = (me + 1) % size;
  const std::size_t before = (me + size - 1) % size;
  team.send(next, 5, mine);
  found.expect(team.template receive<T>(before, 5) == value_of<T>(before), "receive");
  return found.text();
}

class Team : public SessionTest, public testing::WithParamInterface<std::size_t> {
 protected:
  /// A team of one has no workers.
  Team() {
    if (GetParam() > 1) start(GetParam());
  }
};

TEST_P(Team, KnowsItsRanksAndTheirProcesses) {
  const auto look = [](team& team) {
    return std::vector<std::uint64_t>{team.rank(), team.size(), team.process(team.rank()), my_id()};
  };
  const auto seen = session().spmd(look);
  ASSERT_EQ(seen.size(), GetParam());
  for (std::size_t rank = 0; rank < seen.size(); ++rank) {
    const process_id id = GetParam() == 1 ? kControlProcess : static_cast<process_id>(rank + 2);
    EXPECT_THAT(seen[rank], ElementsAre(rank, GetParam(), id, id));
  }
}

TEST_P(Team, MovesValuesOfEachKind) {
  EXPECT_THAT(session().spmd(try_moving_values<int>), testing::Each(""));
  EXPECT_THAT(session().spmd(try_moving_values<double>), testing::Each(""));
  EXPECT_THAT(session().spmd(try_moving_values<bool>), testing::Each(""));
  EXPECT_THAT(session().spmd(try_moving_values<std::string>), testing::Each(""));
  EXPECT_THAT(session().spmd(try_moving_values<point>), testing::Each(""));
  EXPECT_THAT(session().spmd(try_moving_values<std::vector<double>>), testing::Each(""));
  EXPECT_THAT(session().spmd(try_moving_values<dictionary>), testing::Each(""));
}

TEST_P(Team, ReducesInTheOrderOfTheRanks) {
  const auto reduce = [](team& team) {
    findings found;
    const std::size_t me = team.rank();
    const std::size_t last = team.size() - 1;
    std::string letters;
    double sum = 0.1;
    for (std::size_t r = 0; r < team.size(); ++r) {
      letters += static_cast<char>('a' + r);
      if (r > 0) sum += 0.1 * static_cast<double>(r + 1);
    }
    const std::string mine(1, static_cast<char>('a' + me));
    found.expect(team.all_reduce(mine, std::plus<>()) == letters, "all_reduce of strings");
    found.expect(team.reduce(mine, std::plus<>(), last) == (me == last ? letters : mine), "reduce");
    found.expect(team.all_reduce(value_of<double>(me), std::plus<>()) == sum, "the same bits");
    found.expect(team.all_reduce(static_cast<int>(me), [](int a, int b) { return std::max(a, b); }) ==
                     static_cast<int>(last),
                 "all_reduce with a function of one's own");
    const std::vector<double> vector(3000, value_of<double>(me));
    found.expect(team.all_reduce(vector, std::plus<>()) == std::vector<double>(3000, sum), "elements");
    found.expect(team.reduce(vector, std::plus<>(), 0) == (me == 0 ? std::vector<double>(3000, sum) : vector),
                 "elements at the root");
    const std::vector<std::string> words{mine, "x"};
    found.expect(team.all_reduce(words, std::plus<>()) ==
                     std::vector<std::string>{letters, std::string(team.size(), 'x')},
                 "elements that are not their bytes");
    const auto longer = [](const std::vector<int>& a, const std::vector<int>& b) { return a.size() > b.size() ? a : b; };
    found.expect(team.all_reduce(std::vector<int>(me, 1), longer) == std::vector<int>(last, 1), "whole vectors");
    found.expect(team.all_reduce(std::vector<bool>{true, me == 0}, std::logical_and<>()) ==
                     std::vector<bool>{true, last == 0},
                 "bits");
    found.expect(team.all_reduce(std::complex<double>(1, static_cast<double>(me)), std::plus<>()).real() ==
                     static_cast<double>(team.size()),
                 "complex numbers");
    return found.text();
  };
  EXPECT_THAT(session().spmd(reduce), testing::Each(""));
}

TEST_P(Team, PassesNoBarrierBeforeAllHaveCome) {
  const auto ch = channel<int>(1000);
  const auto count = [](team& team, channel<int> put_by_all, int rounds) {
    std::string found;
    for (int i = 0; i < rounds; ++i) {
      put_by_all.put(1);
      team.barrier();
      if (put_by_all.size() != team.size() * static_cast<std::size_t>(i + 1)) found = "too early";
      team.barrier();
    }
    return found;
  };
  EXPECT_THAT(session().spmd(count, ch, 50), testing::Each(""));
}

int add_up(team& team, int each, const std::string& text) {
  return team.all_reduce(each + static_cast<int>(text.size()), std::plus<>());
}

TEST_P(Team, RunsFunctionsLambdasAndGenericOnesWithArguments) {
  const int ranks = static_cast<int>(GetParam());
  EXPECT_THAT(session().spmd(add_up, 2, "abc"), testing::Each(5 * ranks));
  EXPECT_THAT(session().spmd([](team& team, int a) { return team.all_reduce(a, std::plus<>()); }, 2),
              testing::Each(2 * ranks));
  EXPECT_THAT(session().spmd([](auto& team, auto a) { return team.all_reduce(a, std::plus<>()); }, 2.5),
              testing::Each(2.5 * ranks));
  session().spmd([](team& team) { team.barrier(); });
  EXPECT_EQ(session().spmd([](team& team) { return team.rank() == 0; })[0], true);
}

TEST_P(Team, SendsHandlesThroughCollectivesAndMessages) {
  const auto exchange = [](team& team) {
    const channel<int> mine(4);
    const std::vector<channel<int>> all = team.all_gather(mine);
    for (const channel<int>& each : all) channel<int>(each).put(static_cast<int>(team.rank()));
    team.barrier();
    int sum = 0;
    channel<int> own = mine;
    for (std::size_t i = 0; i < std::min<std::size_t>(team.size(), 4); ++i) sum += own.take();
    // Gone with its maker, but for those to whom it was brought last.
    const auto last = team.broadcast(channel<int>(1), 0);
    return sum + static_cast<int>(last.capacity()) - 1;
  };
  if (GetParam() > 4) return;
  const int ranks = static_cast<int>(GetParam());
  EXPECT_THAT(session().spmd(exchange), testing::Each(ranks * (ranks - 1) / 2));
}

TEST_P(Team, MovesMoreThanLiesInASlot) {
  const auto move = [](team& team, std::size_t count) {
    findings found;
    for (int i = 0; i < 3; ++i) {
      const auto all = team.all_gather(std::vector<double>(count, static_cast<double>(team.rank())));
      for (std::size_t r = 0; r < all.size(); ++r) {
        found.expect(all[r] == std::vector<double>(count, static_cast<double>(r)), "all_gather");
      }
    }
    return found.text();
  };
  for (const std::size_t count : {57U, 58U, 59U, 513U, 300'000U}) {
    EXPECT_THAT(session().spmd(move, count), testing::Each("")) << count;
  }
}

INSTANTIATE_TEST_SUITE_P(OfSize, Team, testing::Values(1, 2, 3, 5));

// ----------------------------------------------------------------------------------------------------------- two at once

class Teams : public SessionTest {};

TEST_F(Teams, RunSideBySideFromTwoThreads) {
  start(3);
  const auto work = [](team& team, int rounds, int each) {
    long sum = 0;
    for (int i = 0; i < rounds; ++i) sum += team.all_reduce(each, std::plus<>());
    return sum;
  };
  std::vector<long> first;
  std::vector<long> second;
  std::thread other([&] { first = session().spmd(work, 2000, 1); });
  second = session().spmd(work, 2000, 10);
  other.join();
  EXPECT_THAT(first, testing::Each(6000));
  EXPECT_THAT(second, testing::Each(60000));
}

TEST_F(Teams, LetOtherCallsRunWhileTheyWait) {
  const auto w = start(2);
  const channel<int> go(1);
  std::thread team_thread([&] {
    session().spmd(
        [](team& team, channel<int> signal) {
          if (team.rank() == 1) static_cast<void>(signal.take());
          team.barrier();
        },
        go);
  });
  EXPECT_EQ(w[0].fetch([] { return 7; }), 7);
  EXPECT_EQ(w[1].fetch([] { return 8; }), 8);
  channel<int>(go).put(1);
  team_thread.join();
}

TEST_F(Teams, AreMadeOfTheWorkersThatThereAre) {
  start(2);
  const auto size = [](team& team) { return team.size(); };
  EXPECT_THAT(session().spmd(size), ElementsAre(2U, 2U));
  start(1);
  EXPECT_THAT(session().spmd(size), ElementsAre(3U, 3U, 3U));
  session().remove_workers(session().workers().front());
  EXPECT_THAT(session().spmd([](team& team) { return team.process(team.rank()); }), ElementsAre(3U, 4U));
}

TEST_F(Teams, LeaveNothingBehind) {
  start(3);
  const auto before = shm::list_segments('@' + realm() + ".");
  session().spmd([](team& team) {
    team.send((team.rank() + 1) % team.size(), 1, std::string(5000, 'x'));
    team.send(team.rank(), 1, 5);
    team.barrier();
  });
  EXPECT_EQ(shm::list_segments('@' + realm() + "."), before);
}

}  // namespace
}  // namespace weir::tests
