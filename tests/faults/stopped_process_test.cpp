// SPDX-License-Identifier: BSL-1.0
// A process that is stopped (SIGSTOP) lives: what it holds stays its own, and the others go on without it.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <future>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/child.hpp"
#include "support/crash.hpp"
#include "support/names.hpp"
#include "support/patience.hpp"
#include "weir/channel.hpp"
#include "weir/error.hpp"
#include "weir/select.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;

/// From now on this process stops itself when it comes to `point` for the first time.
void stop_at(const std::string& point) {
  point.copy(planned_death::point, sizeof planned_death::point - 1);
  planned_death::hits_left = 1;
  shm::g_at_crash_point = [](const char* name) noexcept {
    if (std::string_view(name) == planned_death::point && --planned_death::hits_left == 0) ::raise(SIGSTOP);
  };
}

void wait_until_stopped(const child& who) {
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(who.pid()), &info, WSTOPPED | WEXITED), 0);
  ASSERT_EQ(info.si_code, CLD_STOPPED);
}

class StoppedProcess : public NamedSegments {};

TEST_F(StoppedProcess, KeepsTheSlotThatItHasClaimedToPut) {
  auto ch = channel<int>::create(name(), 2);
  child putter([&] {
    auto mine = channel<int>::open(name());
    stop_at("ring.put.claimed");
    mine.put(1);
    return 0;
  });
  wait_until_stopped(putter);
  EXPECT_FALSE(ch.take_for(kAfterDeathsAreFound).has_value());
  EXPECT_TRUE(ch.put_for(2, kWatchdog));              // behind it
  EXPECT_FALSE(ch.put_for(3, kAfterDeathsAreFound));  // its slot is taken
  EXPECT_FALSE(ch.take_for(50ms).has_value());        // not out of order
  ::kill(putter.pid(), SIGCONT);
  EXPECT_EQ(putter.wait(), 0);
  EXPECT_EQ(ch.take(), 1);
  EXPECT_EQ(ch.take(), 2);
}

TEST_F(StoppedProcess, KeepsTheItemThatItHasClaimedToTake) {
  auto ch = channel<int>::create(name(), 2);
  ch.put(1);
  ch.put(2);
  child taker([&] {
    auto mine = channel<int>::open(name());
    stop_at("ring.take.claimed");
    return mine.take();
  });
  wait_until_stopped(taker);
  EXPECT_EQ(ch.take_for(kWatchdog), 2);
  EXPECT_FALSE(ch.take_for(kAfterDeathsAreFound).has_value());
  EXPECT_TRUE(ch.is_empty());
  ::kill(taker.pid(), SIGCONT);
  EXPECT_EQ(WEXITSTATUS(taker.wait()), 1);
}

template <class Make>
void expect_view_is_kept(const std::string& name, Make&& make) {
  auto ch = channel<std::vector<int>>::create(name, 2);
  ch.put(make(1));
  child reader([&] {
    auto mine = channel<std::vector<int>>::open(name);
    const auto view = mine.take_view();
    ::raise(SIGSTOP);
    const std::vector<int> expected = make(1);
    return std::equal(view.begin(), view.end(), expected.begin(), expected.end()) ? 0 : 1;
  });
  wait_until_stopped(reader);
  const auto until = std::chrono::steady_clock::now() + kAfterDeathsAreFound;
  for (int i = 2; std::chrono::steady_clock::now() < until; ++i) {
    ASSERT_TRUE(ch.put_for(make(i), kWatchdog));  // the reader holds nobody up
    ASSERT_EQ(ch.take(), make(i));
  }
  EXPECT_FALSE(ch.take_for(kAfterDeathsAreFound).has_value());  // what it reads is given to nobody else
  ::kill(reader.pid(), SIGCONT);
  EXPECT_EQ(reader.wait(), 0);
}

TEST_F(StoppedProcess, KeepsAViewOfASlot) {
  expect_view_is_kept(name(), [](int i) { return std::vector<int>(4, i); });
}

TEST_F(StoppedProcess, KeepsAViewOfABlock) {
  expect_view_is_kept(name(), [](int i) { return std::vector<int>(40'000, i); });
}

TEST_F(StoppedProcess, KeepsALoan) {
  auto ch = channel<std::vector<int>>::create(name(), 1);
  child writer([&] {
    auto mine = channel<std::vector<int>>::open(name());
    auto loan = mine.loan(40'000);
    std::iota(loan.begin(), loan.end(), 0);
    ::raise(SIGSTOP);
    mine.put(std::move(loan));
    return 0;
  });
  wait_until_stopped(writer);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(ch.put_for(std::vector<int>(40'000, -1), kWatchdog));
    ASSERT_EQ(ch.take().back(), -1);
  }
  EXPECT_FALSE(ch.take_for(kAfterDeathsAreFound).has_value());
  ::kill(writer.pid(), SIGCONT);
  EXPECT_EQ(writer.wait(), 0);
  std::vector<int> expected(40'000);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(ch.take(), expected);
}

TEST_F(StoppedProcess, KeepsTheLockAndOthersPutAndTake) {
  auto ch = channel<int>::create(name(), 4);
  child closer([&] {
    auto mine = channel<int>::open(name());
    stop_at("close.reason");  // the lock is held there
    mine.close("over");
    return 0;
  });
  wait_until_stopped(closer);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(ch.put_for(i, kWatchdog));
    ASSERT_EQ(ch.take_for(kWatchdog), i);
  }
  EXPECT_TRUE(ch.is_open());
  ::kill(closer.pid(), SIGCONT);
  EXPECT_EQ(closer.wait(), 0);
  EXPECT_THROW(ch.put(1), channel_closed);
}

/// Whether `operation` returns, true, before the stopped process goes on.
bool returns_meanwhile(const child& stopped, const std::function<bool()>& operation) {
  auto result = std::async(std::launch::async, operation);
  const bool meanwhile = result.wait_for(kWatchdog) == std::future_status::ready;
  if (!meanwhile) ::kill(stopped.pid(), SIGCONT);
  return result.get() && meanwhile;
}

TEST_F(StoppedProcess, ThatHoldsTheLockDelaysNoTimeout) {
  auto ch = channel<int>::create(name(), 1);
  auto large = channel<std::vector<int>>::create(name("large"), 1);
  child closer([&] {
    auto mine = channel<int>::open(name());
    stop_at("close.reason");
    mine.close("over");
    return 0;
  });
  wait_until_stopped(closer);
  EXPECT_TRUE(returns_meanwhile(closer, [&] { return !ch.take_for(kAfterDeathsAreFound).has_value(); }));
  EXPECT_TRUE(returns_meanwhile(closer, [&] { return !ch.fetch_for(kAfterDeathsAreFound).has_value(); }));
  EXPECT_TRUE(returns_meanwhile(
      closer, [&] { return select(on_take(ch, [](int) {}), on_timeout(kAfterDeathsAreFound)) == 1; }));
  ch.put(1);
  EXPECT_TRUE(returns_meanwhile(closer, [&] { return !ch.put_for(2, kAfterDeathsAreFound); }));
  EXPECT_EQ(ch.take(), 1);
  ::kill(closer.pid(), SIGCONT);
  EXPECT_EQ(closer.wait(), 0);
  EXPECT_THROW(ch.put(1), channel_closed);
}

/// Stopped in the middle of close(), when takers see already that it is closed.
TEST_F(StoppedProcess, ThatHoldsTheLockOfAClosedChannelDelaysNoTimeout) {
  auto ch = channel<int>::create(name(), 1);
  child closer([&] {
    auto mine = channel<int>::open(name());
    stop_at("close.closed");
    mine.close("over");
    return 0;
  });
  wait_until_stopped(closer);
  EXPECT_TRUE(returns_meanwhile(closer, [&] { return !ch.take_for(kAfterDeathsAreFound).has_value(); }));
  ::kill(closer.pid(), SIGCONT);
  EXPECT_EQ(closer.wait(), 0);
  EXPECT_THROW(ch.take(), channel_closed);
}

}  // namespace
}  // namespace weir::tests
