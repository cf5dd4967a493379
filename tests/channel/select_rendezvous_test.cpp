// SPDX-License-Identifier: BSL-1.0
// select on channels of capacity 0: a put is done when a taker has the item, and at no other time.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/futex_waitv.hpp"
#include "support/wait.hpp"
#include "sync/futex.hpp"
#include "weir/error.hpp"
#include "weir/select.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

class SelectMeets : public WithAndWithoutFutexWaitv {};
INSTANTIATE_TEST_SUITE_P(BothWays, SelectMeets, testing::Bool(), name_of_waitv);

TEST_P(SelectMeets, APlainTaker) {
  channel<int> meeting(0);
  channel<int> other(1);
  for (const bool taker_first : {true, false}) {
    int got = 0;
    std::thread takes([&] {
      if (!taker_first) wait_until_waiting(meeting, 1);
      got = meeting.take();
    });
    if (taker_first) wait_until_waiting(meeting, 1);
    EXPECT_EQ(select(on_put(meeting, 7), on_take(other, [](int) {}), on_timeout(kPatience)), 0U);
    takes.join();
    EXPECT_EQ(got, 7);
  }
}

TEST_P(SelectMeets, ATakerThatComesWhileItSleeps) {
  constexpr int kRounds = 20;
  channel<int> meeting(0);
  channel<int> other(1);
  steady::duration waited{};
  for (int round = 0; round < kRounds; ++round) {
    std::thread puts([&] { select(on_put(meeting, round), on_take(other, [](int) {})); });
    wait_until_waiting(meeting, 1);
    std::this_thread::sleep_for(1ms);
    const auto begin = steady::now();
    EXPECT_EQ(meeting.take(), round);
    waited += steady::now() - begin;
    puts.join();
  }
  // Nobody promises how soon: but if nobody told it, it would sleep each time until it looks by itself.
  EXPECT_LT(waited, kRounds * sync::kLongestSleep / 4);
}

TEST_P(SelectMeets, APlainPutter) {
  channel<int> meeting(0);
  channel<int> other(1);
  for (const bool putter_first : {true, false}) {
    std::thread puts([&] {
      if (!putter_first) wait_until_waiting(meeting, 1);
      meeting.put(8);
    });
    if (putter_first) wait_until_waiting(meeting, 1);
    int got = 0;
    EXPECT_EQ(select(on_take(meeting, got), on_take(other, [](int) {}), on_timeout(kPatience)), 0U);
    puts.join();
    EXPECT_EQ(got, 8);
  }
}

TEST_P(SelectMeets, APutterThatTries) {
  channel<int> meeting(0);
  channel<int> other(1);
  EXPECT_FALSE(meeting.try_put(1));
  int got = 0;
  std::thread selects([&] { select(on_take(meeting, got), on_take(other, [](int) {})); });
  wait_until_waiting(other, 1);
  EXPECT_TRUE(meeting.try_put(2));
  selects.join();
  EXPECT_EQ(got, 2);
}

TEST_P(SelectMeets, NobodyAndPutsNothing) {
  channel<std::string> meeting(0);
  EXPECT_EQ(select(on_put(meeting, "x"), on_timeout(0ms)), 1U);
  EXPECT_EQ(select(on_put(meeting, "x"), on_timeout(30ms)), 1U);
  EXPECT_EQ(meeting.try_take(), std::nullopt);
}

TEST_P(SelectMeets, ASleepingTakerWithoutWaitingItself) {
  channel<int> meeting(0);
  int got = 0;
  std::thread takes([&] { got = meeting.take(); });
  wait_until_waiting(meeting, 1);
  EXPECT_EQ(select(on_put(meeting, 3), on_timeout(0ms)), 0U);
  takes.join();
  EXPECT_EQ(got, 3);
}

TEST_P(SelectMeets, NotItself) {
  channel<int> meeting(0);
  EXPECT_EQ(select(on_put(meeting, 1), on_take(meeting, [](int) { FAIL(); }), on_timeout(300ms)), 2U);
  EXPECT_EQ(meeting.try_take(), std::nullopt);
}

TEST_P(SelectMeets, AnotherThatPutsAndTakesOnTheSameChannel) {
  channel<int> meeting(0);
  for (int round = 0; round < 100; ++round) {
    std::array<std::size_t, 2> chosen{};
    std::array<int, 2> got{-1, -1};
    const auto go = [&](std::size_t me) {
      chosen[me] = select(on_put(meeting, static_cast<int>(me)), on_take(meeting, got[me]), on_timeout(kPatience));
    };
    std::thread other(go, 0);
    go(1);
    other.join();
    ASSERT_EQ(chosen[0] + chosen[1], 1U) << "one puts, the other takes";
    const std::size_t taker = chosen[0] == 1 ? 0 : 1;
    EXPECT_EQ(got[taker], static_cast<int>(1 - taker));
    EXPECT_EQ(got[1 - taker], -1);
  }
}

TEST_P(SelectMeets, ACaseNotChosenHasNoEffectOnTheOtherSide) {
  channel<int> meeting(0);
  channel<int> ready(1);
  for (int round = 0; round < 50; ++round) {
    std::optional<int> got;
    std::thread takes([&] { got = meeting.take_for(20ms); });
    wait_until_waiting(meeting, 1);
    ready.put(1);
    const std::size_t chosen = select(on_put(meeting, round), on_take(ready, [](int) {}));
    takes.join();
    EXPECT_EQ(got.has_value(), chosen == 0);
    static_cast<void>(ready.try_take());
  }
}

// Each offers what the other wants: only one of the two meetings can take place in a round.
TEST_P(SelectMeets, AnotherThatWantsToPutWhereItTakesAndTakeWhereItPuts) {
  constexpr int kRounds = 300;
  channel<int> there(0);
  channel<int> back(0);
  const auto begin = steady::now();
  for (int round = 0; round < kRounds; ++round) {
    int other_got = -1;
    std::size_t other_chose = 9;
    std::thread other(
        [&] { other_chose = select(on_take(there, other_got), on_put(back, 1000 + round), on_timeout(kPatience)); });
    int got = -1;
    const std::size_t chose = select(on_put(there, round), on_take(back, got), on_timeout(kPatience));
    other.join();
    ASSERT_LE(chose, 1U);
    ASSERT_EQ(chose, other_chose);
    EXPECT_EQ(other_got, chose == 0 ? round : -1);
    EXPECT_EQ(got, chose == 1 ? 1000 + round : -1);
  }
  // Nobody promises how soon: but if they missed each other they would sleep each time until they look by themselves.
  EXPECT_LT(steady::now() - begin, kRounds * sync::kLongestSleep / 2);
}

TEST_P(SelectMeets, OthersInARing) {
  constexpr std::size_t kRing = 3;
  constexpr int kRounds = 200;
  std::vector<channel<int>> ring;
  for (std::size_t i = 0; i < kRing; ++i) ring.emplace_back(0);
  channel<int> over(kRing);
  std::atomic<long> put{0};
  std::atomic<long> taken{0};
  std::atomic<int> meetings{0};
  std::vector<std::thread> members;
  for (std::size_t me = 0; me < kRing; ++me) {
    members.emplace_back([&, me] {
      for (int round = 1; meetings < kRounds; ++round) {
        int got = 0;
        const std::size_t chosen = select(on_put(ring[me], round), on_take(ring[(me + 1) % kRing], got),
                                          on_take(over, [](int) {}), on_timeout(kPatience));
        ASSERT_NE(chosen, 3U);
        if (chosen == 0) put += round;
        if (chosen == 1) taken += got;
        if (chosen == 1 && ++meetings >= kRounds) {
          for (std::size_t i = 0; i < kRing; ++i) static_cast<void>(over.try_put(1));
        }
      }
    });
  }
  for (std::thread& each : members) each.join();
  EXPECT_EQ(put, taken);
}

TEST_P(SelectMeets, LargeItemsToo) {
  channel<std::vector<int>> meeting(0);
  channel<int> other(1);
  for (int round = 0; round < 20; ++round) {
    std::vector<int> got;
    std::thread takes([&] { select(on_take(meeting, got), on_take(other, [](int) {})); });
    EXPECT_EQ(select(on_put(meeting, std::vector<int>(100'000, round)), on_timeout(kPatience)), 0U);
    takes.join();
    EXPECT_EQ(got, std::vector<int>(100'000, round));
  }
  // No block is left behind by those who come to nothing.
  for (int round = 0; round < 20; ++round) {
    std::thread takes([&] { static_cast<void>(meeting.take_for(1ms)); });
    select(on_put(meeting, std::vector<int>(100'000, round)), on_timeout(2ms));
    takes.join();
  }
  EXPECT_EQ(meeting.loan(100'000).size(), 100'000U);
}

TEST_P(SelectMeets, NobodyAnyMoreOnceTheChannelIsClosed) {
  channel<int> meeting(0);
  std::thread closes([&] {
    wait_until_waiting(meeting, 1);
    meeting.close();
  });
  EXPECT_THROW(select(on_put(meeting, 1)), channel_closed);
  closes.join();
  EXPECT_THROW(select(on_put(meeting, 1), on_timeout(0ms)), channel_closed);
  EXPECT_THROW(select(on_take(meeting, [](int) {})), channel_closed);
}

// Anybody with anybody: what was put has been taken, and nothing else.
TEST_P(SelectMeets, WhoeverComesWithoutLosingOrDoublingAnItem) {
  std::vector<channel<int>> channels;
  for (const std::size_t capacity : {0U, 0U, 1U, 0U}) channels.emplace_back(capacity);
  std::atomic<long> put{0};
  std::atomic<long> taken{0};
  const auto until = steady::now() + 1s;
  std::vector<std::thread> threads;
  for (unsigned seed = 1; seed <= 5; ++seed) {
    threads.emplace_back([&, seed] {
      std::minstd_rand dice{seed};
      const auto any_channel = [&]() -> channel<int>& { return channels[dice() % channels.size()]; };
      while (steady::now() < until) {
        const int a = static_cast<int>(dice() % 1000);
        const int b = static_cast<int>(dice() % 1000);
        int c = 0;
        int d = 0;
        switch (dice() % 4) {
          case 0:
            if (any_channel().put_for(a, 1ms)) put += a;
            break;
          case 1:
            if (const auto item = any_channel().take_for(1ms)) taken += *item;
            break;
          default:
            switch (select(on_put(any_channel(), a), on_take(any_channel(), c), on_put(any_channel(), b),
                           on_take(any_channel(), d), on_timeout(std::chrono::microseconds(dice() % 3000)))) {
              case 0: put += a; break;
              case 1: taken += c; break;
              case 2: put += b; break;
              case 3: taken += d; break;
              default: break;
            }
        }
      }
    });
  }
  for (std::thread& each : threads) each.join();
  for (channel<int>& each : channels) {
    while (const auto left = each.try_take()) taken += *left;
  }
  EXPECT_EQ(put, taken);
  EXPECT_GT(put, 0);
}

}  // namespace
}  // namespace weir::tests
