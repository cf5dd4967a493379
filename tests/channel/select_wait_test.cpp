// SPDX-License-Identifier: BSL-1.0
// select within one process: how it waits, and what it does for others when it leaves.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
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

class SelectWaits : public WithAndWithoutFutexWaitv {};
INSTANTIATE_TEST_SUITE_P(BothWays, SelectWaits, testing::Bool(), name_of_waitv);

TEST_P(SelectWaits, NoLongerThanToldToAndNotLess) {
  channel<int> empty(1);
  channel<int> full(1);
  full.put(1);
  bool called = false;
  const auto begin = steady::now();
  EXPECT_EQ(select(on_take(empty, [](int) {}), on_timeout(150ms, [&] { called = true; }), on_put(full, 2)), 1U);
  EXPECT_GE(steady::now() - begin, 150ms);
  EXPECT_TRUE(called);
  EXPECT_EQ(select(on_take(empty, [](int) {}), on_timeout(0ms)), 1U);
  EXPECT_EQ(select(on_take(empty, [](int) {}), on_timeout(-5s)), 1U);
}

TEST_P(SelectWaits, UntilAnItemComesToAnyOfTheChannels) {
  channel<int> a(1);
  channel<int> b(1);
  for (int round = 0; round < 6; ++round) {
    channel<int>& which = round % 2 == 0 ? a : b;
    std::optional<std::size_t> chosen;
    std::thread waits([&] { chosen = select(on_take(a, [](int) {}), on_take(b, [](int) {})); });
    wait_until_waiting(a, 1);
    wait_until_waiting(b, 1);
    which.put(round);
    waits.join();
    EXPECT_EQ(chosen, round % 2 == 0 ? 0U : 1U);
  }
}

TEST_P(SelectWaits, UntilThereIsRoomInAnyOfTheChannels) {
  channel<int> a(1);
  channel<int> b(1);
  a.put(1);
  b.put(1);
  std::optional<std::size_t> chosen;
  std::thread waits([&] { chosen = select(on_put(a, 2), on_put(b, 3)); });
  wait_until_waiting(a, 1);
  wait_until_waiting(b, 1);
  EXPECT_EQ(b.take(), 1);
  waits.join();
  EXPECT_EQ(chosen, 1U);
  EXPECT_EQ(b.take(), 3);
  EXPECT_EQ(a.take(), 1);
  EXPECT_TRUE(a.is_empty());
}

TEST_P(SelectWaits, ForMemoryThatViewsHold) {
  channel<std::vector<int>> lists(1);
  const std::vector<int> large(100'000, 3);
  std::vector<channel<std::vector<int>>::view_type> held;
  while (lists.put_for(large, 50ms)) held.push_back(lists.take_view());  // until all blocks are in use
  channel<int> other(1);
  std::optional<std::size_t> chosen;
  std::thread waits([&] { chosen = select(on_put(lists, large), on_take(other, [](int) {})); });
  wait_until_waiting(other, 1);
  held.pop_back();
  waits.join();
  EXPECT_EQ(chosen, 0U);
  EXPECT_EQ(lists.take(), large);
}

TEST_P(SelectWaits, UntilOneOfTheChannelsIsClosed) {
  channel<int> a(1);
  channel<int> b(1);
  b.put(1);
  for (const bool puts : {false, true}) {
    channel<int> fresh(1);
    fresh.put(1);
    channel<int>& closes = puts ? fresh : a;
    std::thread waits([&] {
      if (puts) {
        EXPECT_THROW(select(on_put(b, 2), on_put(fresh, 2)), channel_closed);
      } else {
        EXPECT_THROW(select(on_take(a, [](int) {}), on_put(b, 2)), channel_closed);
      }
    });
    wait_until_waiting(closes, 1);
    wait_until_waiting(b, 1);
    closes.close();
    waits.join();
  }
  EXPECT_EQ(b.size(), 1U);
}

TEST_P(SelectWaits, UntilStopIsRequested) {
  channel<int> a(1);
  channel<int> b(1);
  std::stop_source source;
  std::optional<std::size_t> chosen{7};
  std::thread waits([&] { chosen = select(source.get_token(), on_take(a, [](int) {}), on_take(b, [](int) {})); });
  wait_until_waiting(a, 1);
  source.request_stop();
  waits.join();
  EXPECT_EQ(chosen, std::nullopt);
  a.put(1);
  EXPECT_EQ(select(source.get_token(), on_take(a, [](int) {}), on_timeout(0ms)), std::nullopt);
  EXPECT_EQ(a.size(), 1U);
  EXPECT_EQ(select(std::stop_token(), on_take(a, [](int) {})), 0U);
}

TEST_P(SelectWaits, PassingOnAWakeUpThatItHadNoUseFor) {
  // The select sleeps on `a` before the taker does, and so is the one who is woken for the item in `a`. When it takes the
  // one in `b`, the taker has to be told; else it finds out at the end of its sleep.
  channel<int> a(1);
  channel<int> b(1);
  std::vector<steady::duration> delays;
  for (int round = 0; round < 60; ++round) {
    std::optional<std::size_t> chosen;
    std::thread selects([&] { chosen = select(on_take(a, [](int) {}), on_take(b, [](int) {})); });
    wait_until_waiting(b, 1);
    steady::time_point taken;
    std::thread takes([&] {
      a.take();
      taken = steady::now();
    });
    wait_until_waiting(a, 2);
    std::this_thread::sleep_for(1ms);
    const auto put = steady::now();
    a.put(1);
    b.put(2);
    selects.join();
    if (chosen == 1U) {
      takes.join();
      delays.push_back(taken - put);
    } else {
      a.put(3);
      takes.join();
      EXPECT_EQ(b.take(), 2);
    }
  }
  ASSERT_GT(delays.size(), 5U);
  std::nth_element(delays.begin(), delays.begin() + static_cast<std::ptrdiff_t>(delays.size() / 2), delays.end());
  // Nobody promises how soon: but half of them would not come before a whole sleep if nobody told.
  EXPECT_LT(delays[delays.size() / 2], sync::kLongestSleep / 2);
}

TEST_P(SelectWaits, OnMoreChannelsThanTheKernelTakesAtOnce) {
  constexpr std::size_t kMany = 140;
  std::vector<channel<int>> channels;
  std::vector<int> items(kMany);
  std::vector<std::unique_ptr<detail::take_into_case<int>>> cases;
  std::vector<detail::select_case*> all;
  for (std::size_t i = 0; i < kMany; ++i) {
    channels.emplace_back(1, channel_options{.max_item_bytes = 4096});
    cases.push_back(std::make_unique<detail::take_into_case<int>>(channels[i], items[i]));
    all.push_back(cases.back().get());
  }
  std::thread waits([&] { EXPECT_EQ(detail::do_first(all, detail::deadline::never()), cases[kMany - 1].get()); });
  wait_until_waiting(channels.back(), 1);
  channels.back().put(5);
  waits.join();
  EXPECT_EQ(items.back(), 5);
}

TEST_P(SelectWaits, AndIsSeenToWaitByEachOfItsChannels) {
  channel<int> a(1);
  channel<int> b(1);
  b.put(1);
  std::thread waits([&] { select(on_take(a, [](int) {}), on_put(b, 2)); });
  wait_until_waiting(a, 1);
  wait_until_waiting(b, 1);
  a.put(1);
  waits.join();
  // It has left both.
  for (const channel<int>& each : {a, b}) {
    const detail::core_handle core = detail::attach(each.name(), detail::codec<int>::type());
    EXPECT_EQ(channels::sleepers_of(core->header().not_empty.word.load()), 0U);
    EXPECT_EQ(channels::sleepers_of(core->header().not_full.word.load()), 0U);
  }
}

// Many takers, plain ones and selects, of two channels: every item is taken once.
TEST_P(SelectWaits, ForItemsThatAreAllTakenOnce) {
  constexpr int kItems = 20'000;
  channel<int> a(3);
  channel<int> b(2);
  std::atomic<long> sum{0};
  std::atomic<int> count{0};
  std::vector<std::thread> threads;
  const auto add = [&](int item) {
    sum += item;
    ++count;
  };
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      try {
        for (;;) select(on_take(a, add), on_take(b, add));
      } catch (const channel_closed&) {
        return;
      }
    });
  }
  for (channel<int>* from : {&a, &b}) {
    threads.emplace_back([&, from] {
      for (const int item : *from) add(item);
    });
  }
  std::thread puts([&] {
    for (int i = 1; i <= kItems; ++i) select(on_put(a, i), on_put(b, i));
  });
  puts.join();
  a.close();
  b.close();
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(count, kItems);
  EXPECT_EQ(sum, static_cast<long>(kItems) * (kItems + 1) / 2);
}

}  // namespace
}  // namespace weir::tests
