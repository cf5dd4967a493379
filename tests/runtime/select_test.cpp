// SPDX-License-Identifier: BSL-1.0
// select with futures, in workers, and with what lives with workers.
#include "weir/select.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/futex_waitv.hpp"
#include "support/session.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;

int process_number() { return static_cast<int>(::getpid()); }
int never_answer() {
  for (;;) std::this_thread::sleep_for(1h);
}

/// Each with futex_waitv, and as on a kernel without it.
class SelectInSession : public SessionTest, public testing::WithParamInterface<bool> {
 protected:
  SelectInSession() { sync::allow_futex_waitv(GetParam()); }
  ~SelectInSession() override { sync::allow_futex_waitv(true); }
};
INSTANTIATE_TEST_SUITE_P(BothWays, SelectInSession, testing::Bool(), name_of_waitv);

TEST_P(SelectInSession, ChoosesTheFutureThatIsReadyAndHandsItsValueOver) {
  const auto w = start(1).front();
  channel<int> gate(1);
  channel<int> never(1);
  const auto later = w.call([](channel<int> g) { return std::to_string(g.take()); }, gate);
  const auto sooner = w.call([](int x) { return x + 1; }, 4);
  int got = 0;
  EXPECT_EQ(select(on_take(never, [](int) {}), on_ready(later), on_ready(sooner, [&](int x) { got = x; })), 2U);
  EXPECT_EQ(got, 5);
  EXPECT_EQ(select(on_take(never, [](int) {}), on_ready(later), on_timeout(50ms)), 2U);
  std::thread opens([&] {
    std::this_thread::sleep_for(50ms);
    gate.put(9);
  });
  std::string text;
  EXPECT_EQ(select(on_take(never, [](int) {}), on_ready(later, [&](const std::string& t) { text = t; })), 1U);
  opens.join();
  EXPECT_EQ(text, "9");
  EXPECT_EQ(select(on_ready(later)), 0U) << "as often as one likes";
}

TEST_P(SelectInSession, PrefersNeitherFuturesNorChannels) {
  const auto w = start(1).front();
  const auto done = w.call([] {});
  done.wait();
  channel<int> full(1);
  std::vector<int> times(2);
  for (int round = 0; round < 1000; ++round) {
    if (full.is_empty()) full.put(1);
    ++times[select(on_ready(done, [] {}), on_take(full, [](int) {}))];
  }
  EXPECT_GT(times[0], 300);
  EXPECT_GT(times[1], 300);
}

TEST_P(SelectInSession, ThrowsWhatAChosenFutureThrows) {
  const auto w = start(1).front();
  channel<int> never(1);
  const auto fails = w.call([]() -> int { throw std::out_of_range("there"); });
  const auto fails_too = w.call([] { throw std::out_of_range("there"); });
  bool called = false;
  EXPECT_THROW(select(on_ready(fails, [&](int) { called = true; }), on_take(never, [](int) {})), remote_error);
  EXPECT_THROW(select(on_ready(fails)), remote_error);
  EXPECT_THROW(select(on_ready(fails_too, [&] { called = true; })), remote_error);
  EXPECT_FALSE(called);
}

TEST_P(SelectInSession, OnAFutureOfAWorkerThatIsKilledThrowsWorkerDied) {
  const auto w = start(1).front();
  const int victim = w.fetch(process_number);
  channel<int> never(1);
  const auto f = w.call(never_answer);
  std::thread kills([&] {
    std::this_thread::sleep_for(50ms);
    ::kill(victim, SIGKILL);
  });
  EXPECT_THROW(select(on_take(never, [](int) {}), on_ready(f), on_timeout(kPatience)), worker_died);
  kills.join();
}

TEST_P(SelectInSession, OnAChannelOfAWorkerThatIsKilledThrowsWorkerDied) {
  const auto w = start(1).front();
  const int victim = w.fetch(process_number);
  auto theirs = channel<int>::on(w, 1);
  channel<int> never(1);
  std::thread kills([&] {
    std::this_thread::sleep_for(50ms);
    ::kill(victim, SIGKILL);
  });
  EXPECT_THROW(select(on_take(never, [](int) {}), on_take(theirs, [](int) {}), on_timeout(kPatience)), worker_died);
  kills.join();
}

TEST_P(SelectInSession, LetsTheWorkersNextCallRunWhileItSleeps) {
  const auto w = start(1).front();
  channel<int> a(1);
  channel<int> b(1);
  const auto f = w.call(
      [](channel<int> left, channel<int> right, bool waitv) {
        sync::allow_futex_waitv(waitv);
        int got = 0;
        select(on_take(left, got), on_take(right, got));
        return got;
      },
      a, b, GetParam());
  // It runs in the same worker, one call at a time.
  w.fetch([](channel<int> right) { right.put(6); }, b);
  EXPECT_EQ(f.get(), 6);
}

TEST_P(SelectInSession, TakesResultsOfManyCallsAsTheyCome) {
  const auto workers = start(2);
  channel<int> out(0);
  std::vector<future<void>> calls;
  calls.reserve(workers.size());
  for (const auto& w : workers) {
    calls.push_back(w.call(
        [](channel<int> c) {
          for (int i = 1; i <= 100; ++i) select(on_put(c, i));
        },
        out));
  }
  int sum = 0;
  std::vector<bool> done(2);
  while (!done[0] || !done[1]) {
    const auto add = [&](int item) { sum += item; };
    if (!done[0] && !done[1]) {
      select(on_take(out, add), on_ready(calls[0], [&] { done[0] = true; }),
             on_ready(calls[1], [&] { done[1] = true; }));
    } else {
      const std::size_t left = done[0] ? 1 : 0;
      select(on_take(out, add), on_ready(calls[left], [&] { done[left] = true; }));
    }
  }
  EXPECT_EQ(sum, 2 * 5050);
}

}  // namespace
}  // namespace weir::tests
