// SPDX-License-Identifier: BSL-1.0
// Futures: waiting, then, when_all, when_any.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "support/session.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;

class Futures : public SessionTest {};

int sleep_then(int value, int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  return value;
}

TEST_F(Futures, WaitNoLongerThanToldTo) {
  const auto w = start(1).front();
  channel<int> gate(1);
  const auto f = w.call([](channel<int> c) { return c.take(); }, gate);
  EXPECT_FALSE(f.is_ready());
  EXPECT_GE(milliseconds_of([&] { EXPECT_FALSE(f.wait_for(100ms)); }), 100);
  EXPECT_GE(milliseconds_of([&] { EXPECT_FALSE(f.wait_until(std::chrono::system_clock::now() + 50ms)); }), 49);
  EXPECT_FALSE(f.wait_for(0ms));
  gate.put(9);
  EXPECT_TRUE(f.wait_for(kPatience));
  EXPECT_TRUE(f.is_ready());
  EXPECT_EQ(f.get(), 9);
  EXPECT_EQ(f.get(), 9);
  const future<int> copy = f;
  EXPECT_EQ(copy.get(), 9);
}

TEST_F(Futures, ThatReferToNothingSaySo) {
  const future<int> none;
  EXPECT_FALSE(none.valid());
  EXPECT_THROW(none.get(), invalid_argument);
  EXPECT_THROW(none.wait(), invalid_argument);
  EXPECT_THROW(static_cast<void>(none.is_ready()), invalid_argument);
  EXPECT_THROW(static_cast<void>(when_any(std::vector<future<int>>{})), invalid_argument);
}

TEST_F(Futures, ThatNobodyWaitsForDoNotStopTheirCalls) {
  const auto w = start(1).front();
  channel<int> done(4);
  EXPECT_LT(milliseconds_of([&] {
              w.call(
                  [](channel<int> c) {
                    std::this_thread::sleep_for(300ms);
                    c.put(1);
                  },
                  done);
            }),
            300);
  EXPECT_EQ(done.take_for(kPatience), 1);
}

TEST_F(Futures, ThenRunHereWithTheResult) {
  const auto w = start(1).front();
  int captured = 5;
  auto alone = std::make_unique<int>(6);  // what it captures need not be copyable
  const auto f = w.call(sleep_then, 10, 20).then([&captured, alone = std::move(alone)](int x) {
    return std::to_string(x + captured + *alone) + " in " + std::to_string(my_id());
  });
  EXPECT_EQ(f.get(), "21 in 1");
  const auto nothing = w.call([] {}).then([&] { captured = 7; });
  nothing.get();
  EXPECT_EQ(captured, 7);
  const auto chain = w.call(sleep_then, 1, 0).then([](int x) { return x + 1; }).then([](int x) { return x * 10; });
  EXPECT_EQ(chain.get(), 20);
}

TEST_F(Futures, ThenPassErrorsOnWithoutRunning) {
  const auto w = start(1).front();
  bool ran = false;
  const auto f = w.call([]() -> int { throw std::out_of_range("source"); }).then([&](int x) {
    ran = true;
    return x;
  });
  try {
    f.get();
    FAIL();
  } catch (const remote_error& e) {
    EXPECT_STREQ(e.what(), "On worker 2: std::out_of_range: source");
    EXPECT_THROW(std::rethrow_if_nested(e), std::out_of_range);
  }
  EXPECT_THROW(f.get(), remote_error);
  EXPECT_FALSE(ran);
  const auto own = w.call(sleep_then, 1, 0).then([](int) { throw std::length_error("mine"); });
  try {
    own.get();
    FAIL();
  } catch (const remote_error& e) {
    EXPECT_STREQ(e.what(), "On worker 1: std::length_error: mine");
  }
}

TEST_F(Futures, ThenMayWaitForOneAnother) {
  const auto w = start(1).front();
  const auto f = w.call(sleep_then, 1, 0);
  const auto outer = f.then([&](int x) { return x + f.then([](int y) { return y + 1; }).get(); });
  EXPECT_EQ(outer.get(), 3);
}

TEST_F(Futures, ThenWorkInAWorkerToo) {
  const auto ws = start(2);
  const auto made = ws[0].fetch([] {
    const int captured = static_cast<int>(my_id()) + 1;
    return worker(3).call([] { return 4; }).then([captured](int x) {
      return x * captured + static_cast<int>(my_id());
    });
  });
  EXPECT_EQ(made.get(), 14);
}

TEST_F(Futures, AllTogetherAreReadyWithTheLast) {
  const auto ws = start(2);
  std::vector<future<int>> each;
  for (int i = 0; i < 10; ++i) each.push_back(ws[static_cast<std::size_t>(i % 2)].call(sleep_then, i, 10 - i));
  EXPECT_EQ(when_all(each).get(), (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  const auto mixed = when_all(ws[0].call(sleep_then, 1, 5), ws[1].call([] { return std::string("two"); }));
  EXPECT_EQ(mixed.get(), std::tuple(1, std::string("two")));
  when_all(std::vector{ws[0].call([] {}), ws[1].call([] {})}).get();
  EXPECT_TRUE(when_all(std::vector<future<int>>{}).get().empty());
  each.push_back(ws[0].call([]() -> int { throw std::runtime_error("the last"); }));
  try {
    static_cast<void>(when_all(each).get());
    FAIL();
  } catch (const remote_error& e) {
    EXPECT_EQ(e.message(), "the last");
  }
}

TEST_F(Futures, AnyIsTheFirstThatIsReady) {
  const auto ws = start(2);
  channel<int> gate(1);
  const auto slow = ws[0].call([](channel<int> c) { return c.take(); }, gate);
  const auto fast = ws[1].call([] { return std::string("fast"); });
  EXPECT_EQ(when_any(slow, fast).get(), 1U);
  EXPECT_EQ(when_any(std::vector{slow, ws[1].call(sleep_then, 1, 5)}).get(), 1U);
  const auto later = when_any(slow);
  EXPECT_FALSE(later.wait_for(50ms));
  gate.put(3);
  EXPECT_EQ(later.get(), 0U);
  EXPECT_EQ(when_any(ws[0].call([] { throw 1; }), slow).wait_for(kPatience), true);
}

TEST_F(Futures, OfAWorkerThatDiesAreReady) {
  const auto ws = start(2);
  const int victim = ws[0].fetch([] { return static_cast<int>(::getpid()); });
  channel<int> never(1);
  const auto take = [](channel<int> c) { return c.take(); };
  const auto f = ws[0].call(take, never);
  const auto then = f.then([](int x) { return x; });
  const auto any = when_any(ws[1].call(take, never), f);
  EXPECT_FALSE(any.wait_for(20ms));
  ::kill(victim, SIGKILL);
  EXPECT_EQ(any.get(), 1U);
  EXPECT_THROW(then.get(), worker_died);
  EXPECT_TRUE(f.is_ready());
  never.close();
}

TEST_F(Futures, CanBeReadAfterTheSessionIsOver) {
  const auto w = start(1).front();
  const auto done = w.call([] { return std::vector<int>(5'000, 3); });
  done.wait();
  const auto never = w.call([] {
    channel<int> c(1);
    c.take();
  });
  const auto then = never.then([] {});
  end_session();
  EXPECT_EQ(done.get().size(), 5'000U);
  EXPECT_THROW(never.get(), worker_died);
  EXPECT_THROW(then.get(), worker_died);
  EXPECT_THROW(static_cast<void>(w.call(my_id)), worker_died);
  EXPECT_THROW(static_cast<void>(worker(2)), not_in_session);
}

TEST_F(Futures, ManyWithLargeResultsKeepTheirMemoryNoLongerThanNeeded) {
  const auto w = start(1).front();
  std::vector<future<std::vector<char>>> held;
  for (int i = 0; i < 100; ++i)
    held.push_back(w.call([](int x) { return std::vector<char>(300'000, static_cast<char>(x)); }, i));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(held[static_cast<std::size_t>(i)].get().back(), static_cast<char>(i));
  // More than there are blocks: the rest had segments of their own, which go with their futures.
  EXPECT_FALSE(shm::list_segments('@' + realm() + ".blob").empty());
  held.clear();
  EXPECT_TRUE(shm::list_segments('@' + realm() + ".blob").empty());
}

}  // namespace
}  // namespace weir::tests
