// SPDX-License-Identifier: BSL-1.0
// select between processes.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/child.hpp"
#include "support/names.hpp"
#include "support/wait.hpp"
#include "weir/channel.hpp"
#include "weir/error.hpp"
#include "weir/select.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;

void expect_well(child& one) {
  const int status = one.wait();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "wait status " << status;
}

class SelectBetweenProcesses : public NamedSegments {};

struct seen_by_taker {
  std::int64_t items = 0;
  std::int64_t sum = 0;
};

TEST_F(SelectBetweenProcesses, TakesEveryItemOfSeveralChannelsOnce) {
  constexpr std::int64_t kItems = 200'000;
  constexpr int kChoosers = 3;
  const std::array<std::string, 2> names{name("a"), name("b")};
  std::vector<channel<std::int64_t>> items{channel<std::int64_t>::create(names[0], 5),
                                           channel<std::int64_t>::create(names[1], 1)};
  auto tallies = channel<seen_by_taker>::create(name("tallies"), kChoosers);
  std::vector<std::unique_ptr<child>> takers;
  for (int t = 0; t < kChoosers; ++t) {
    takers.push_back(std::make_unique<child>([&] {
      auto a = channel<std::int64_t>::open(names[0]);
      auto b = channel<std::int64_t>::open(names[1]);
      seen_by_taker mine;
      const auto add = [&](std::int64_t item) {
        ++mine.items;
        mine.sum += item;
      };
      bool a_is_open = true;
      bool b_is_open = true;
      while (a_is_open || b_is_open) {
        try {
          if (a_is_open && b_is_open) {
            select(on_take(a, add), on_take(b, add));
          } else {
            select(on_take(a_is_open ? a : b, add));
          }
        } catch (const channel_closed&) {
          a_is_open = a_is_open && (a.is_open() || !a.is_empty());
          b_is_open = b_is_open && (b.is_open() || !b.is_empty());
        }
      }
      channel<seen_by_taker>::open(name("tallies")).put(mine);
      return 0;
    }));
  }
  std::vector<std::unique_ptr<child>> putters;
  for (int p = 0; p < 2; ++p) {
    putters.push_back(std::make_unique<child>([&, p] {
      auto a = channel<std::int64_t>::open(names[0]);
      auto b = channel<std::int64_t>::open(names[1]);
      for (std::int64_t i = p; i < kItems; i += 2) select(on_put(a, i), on_put(b, i));
      return 0;
    }));
  }
  for (auto& each : putters) expect_well(*each);
  for (auto& each : items) each.close();
  for (auto& each : takers) expect_well(*each);
  seen_by_taker all;
  for (int t = 0; t < kChoosers; ++t) {
    const seen_by_taker one = tallies.take();
    all.items += one.items;
    all.sum += one.sum;
  }
  EXPECT_EQ(all.items, kItems);
  EXPECT_EQ(all.sum, kItems * (kItems - 1) / 2);
}

TEST_F(SelectBetweenProcesses, MeetsASelectThatWantsTheOppositeOnTwoRendezvous) {
  constexpr int kRounds = 500;
  auto there = channel<int>::create(name("there"), 0);
  auto back = channel<int>::create(name("back"), 0);
  child other([&] {
    auto their_there = channel<int>::open(name("there"));
    auto their_back = channel<int>::open(name("back"));
    for (int round = 0; round < kRounds; ++round) {
      int got = round;
      if (select(on_put(their_back, round), on_take(their_there, got), on_timeout(kPatience)) == 2) return 1;
      if (got != round) return 2;
    }
    return 0;
  });
  for (int round = 0; round < kRounds; ++round) {
    int got = round;
    ASSERT_NE(select(on_take(back, got), on_put(there, round), on_timeout(kPatience)), 2U) << round;
    ASSERT_EQ(got, round);
  }
  expect_well(other);
}

TEST_F(SelectBetweenProcesses, IsNotHeldUpByAStoppedTaker) {
  auto meeting = channel<int>::create(name("meeting"), 0);
  auto other = channel<int>::create(name("other"), 1);
  child taker([&] { return channel<int>::open(name("meeting")).take() == 2 ? 0 : 1; });
  wait_until_waiting(meeting, 1);
  ::kill(taker.pid(), SIGSTOP);
  std::thread puts([&] {
    std::this_thread::sleep_for(50ms);
    other.put(1);
  });
  EXPECT_EQ(select(on_put(meeting, 1), on_take(other, [](int) {}), on_timeout(kPatience)), 1U);
  puts.join();
  EXPECT_EQ(select(on_put(meeting, 1), on_timeout(30ms)), 1U);
  ::kill(taker.pid(), SIGCONT);
  EXPECT_EQ(select(on_put(meeting, 2), on_timeout(kPatience)), 0U);
  expect_well(taker);
}

TEST_F(SelectBetweenProcesses, GetsTheItemThatADeadTakerHad) {
  auto items = channel<int>::create(name("items"), 2);
  auto other = channel<int>::create(name("other"), 1);
  items.put(5);
  child viewer([&] {
    const auto view = channel<int>::open(name("items")).take_view();
    std::this_thread::sleep_for(1h);
    return *view;
  });
  while (!items.is_empty()) std::this_thread::sleep_for(1ms);
  std::thread kills([&] {
    wait_until_waiting(other, 1);
    ::kill(viewer.pid(), SIGKILL);
    viewer.wait();
  });
  int got = 0;
  EXPECT_EQ(select(on_take(items, got), on_take(other, [](int) {}), on_timeout(kPatience)), 0U);
  kills.join();
  EXPECT_EQ(got, 5);
}

TEST_F(SelectBetweenProcesses, InAForkedChildThatHasNotOpenedTheChannelSaysSo) {
  auto items = channel<int>::create(name("items"), 1);
  child forked([&] {
    try {
      select(on_take(items, [](int) {}), on_put(items, 1));
    } catch (const invalid_argument&) {
      return 0;
    }
    return 1;
  });
  expect_well(forked);
  EXPECT_TRUE(items.is_empty());
}

}  // namespace
}  // namespace weir::tests
