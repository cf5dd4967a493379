// SPDX-License-Identifier: BSL-1.0
// The real-time clock jumps by hours while others wait. This program's own clock_gettime(), its libraries' too,
// moves CLOCK_REALTIME three hours to and fro every millisecond, in the workers as well; the machine's is left alone.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "support/session.hpp"
#include "weir/channel.hpp"
#include "weir/select.hpp"

namespace {

std::atomic<int> g_looks_at_real_time{0};

std::time_t jump_now() noexcept {
  timespec monotonic{};
  ::syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &monotonic);
  constexpr long kMillisecond = 1'000'000;
  constexpr std::time_t kHours = 3 * 3600;
  return (monotonic.tv_nsec / kMillisecond % 3 - 1) * kHours;
}

}  // namespace

extern "C" int clock_gettime(clockid_t which, timespec* out) noexcept {
  if (::syscall(SYS_clock_gettime, which, out) != 0) return -1;
  if (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE) {
    g_looks_at_real_time.fetch_add(1, std::memory_order_relaxed);
    out->tv_sec += jump_now();
  }
  return 0;
}

extern "C" int gettimeofday(timeval* out, void* /*zone*/) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}

extern "C" std::time_t time(std::time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

namespace weir::tests {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto kWait = 120ms;

/// How often `wait`, which must last so long at least, looks at the real-time clock.
template <class Wait>
int looks_during(Wait&& wait, steady::duration at_least = kWait) {
  const auto begin = steady::now();
  const int before = g_looks_at_real_time.load();
  wait();
  EXPECT_GE(steady::now() - begin, at_least);
  return g_looks_at_real_time.load() - before;
}

TEST(ClockSteps, AreSeenByThisProgram) {
  bool back = false;
  auto last = std::chrono::system_clock::now();
  for (const auto end = steady::now() + 50ms; steady::now() < end;) {
    const auto now = std::chrono::system_clock::now();
    if (now < last - 1h) back = true;
    last = now;
  }
  EXPECT_TRUE(back);
}

TEST(ClockSteps, ChangeNoTimeoutOfAChannel) {
  channel<int> empty(1);
  channel<int> full(1);
  full.put(1);
  channel<std::vector<char>> large(1);
  channel<int> rendezvous(0);
  EXPECT_EQ(looks_during([&] { EXPECT_EQ(empty.take_for(kWait), std::nullopt); }), 0);
  EXPECT_EQ(looks_during([&] { EXPECT_EQ(empty.fetch_for(kWait), std::nullopt); }), 0);
  EXPECT_EQ(looks_during([&] { EXPECT_FALSE(full.put_for(2, kWait)); }), 0);
  EXPECT_EQ(looks_during([&] { EXPECT_FALSE(rendezvous.put_for(2, kWait)); }), 0);
  EXPECT_EQ(looks_during([&] { EXPECT_FALSE(large.take_view_for(kWait).has_value()); }), 0);
  EXPECT_EQ(looks_during([&] { EXPECT_EQ(empty.take_until(steady::now() + kWait), std::nullopt); }), 0);
  EXPECT_EQ(
      looks_during([&] { EXPECT_EQ(select(on_take(empty, [](int) {}), on_put(full, 3), on_timeout(kWait)), 2U); }), 0);
}

TEST(ClockSteps, KeepNobodyFromWaking) {
  channel<int> ch(1);
  for (int i = 0; i < 3; ++i) {
    std::optional<std::thread> late;
    const auto wait = [&] {
      late.emplace([&ch, i] {
        std::this_thread::sleep_for(kWait);
        ch.put(i);
      });
      EXPECT_EQ(ch.take_for(1h), i);
    };
    EXPECT_EQ(looks_during(wait), 0);
    late->join();
  }
}

class ClockStepsInSession : public SessionTest {};

TEST_F(ClockStepsInSession, ChangeNothingForCallsAndFutures) {
  const auto w = start(2);
  EXPECT_EQ(w[0].fetch([](int i) { return i + 1; }, 1), 2);
  const auto late = w[0].call([] {
    std::this_thread::sleep_for(3 * kWait);
    return 5;
  });
  EXPECT_EQ(looks_during([&] { EXPECT_FALSE(late.wait_for(kWait)); }), 0);
  EXPECT_EQ(looks_during([&] { EXPECT_EQ(late.get(), 5); }, 0ms), 0);
  const auto empty = channel<int>::on(w[1], 1);
  const auto waited = [](channel<int> ch) {
    const auto begin = steady::now();
    const bool came = ch.take_for(kWait).has_value();
    return !came && steady::now() - begin >= kWait;
  };
  EXPECT_TRUE(w[0].fetch(waited, empty));
  session().remove_workers(w[0]);
  EXPECT_EQ(start(1).front().fetch(my_id), 4U);
}

TEST_F(ClockStepsInSession, KeepStartsAndEndsFromGivingUp) {
  for (int round = 0; round < 3; ++round) {
    const auto w = start(2, {.start_timeout = kPatience});
    EXPECT_EQ(w[1].fetch(my_id), w[1].id());
    session().remove_workers(w);
    EXPECT_FALSE(w[0].is_alive());
  }
}

}  // namespace
}  // namespace weir::tests
