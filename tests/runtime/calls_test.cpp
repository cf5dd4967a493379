// SPDX-License-Identifier: BSL-1.0
// What calls do: arguments, results, order, waiting, handles.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "support/session.hpp"
#include "weir/any.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;

class Calls : public SessionTest {};

double area(double r) { return r * r; }
std::string join(const std::string& a, std::string_view b, const char* c) { return a + '/' + std::string(b) + '/' + c; }
double total(std::span<const double> values) { return std::accumulate(values.begin(), values.end(), 0.0); }
std::string consume(std::string&& text) { return std::move(text) + '!'; }
std::string_view a_view() { return "seen"; }

struct times_two {
  int operator()(int x) const { return 2 * x; }
};

struct point {
  double x;
  double y;
};

struct person {
  std::string name;
  std::map<std::string, std::vector<int>> marks;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(name, marks);
  }
};

TEST_F(Calls, RunOnTheWorkerAndReturnTheValue) {
  const auto w = start(1).front();
  EXPECT_EQ(w.id(), 2U);
  EXPECT_EQ(w.call(area, 3.0).get(), 9.0);
  EXPECT_EQ(w.fetch(my_id), 2U);
  EXPECT_EQ(my_id(), 1U);
  EXPECT_NE(w.fetch([] { return static_cast<int>(::getpid()); }), static_cast<int>(::getpid()));
}

TEST_F(Calls, ConvertArgumentsToTheParametersTypes) {
  const auto w = start(1).front();
  EXPECT_EQ(w.fetch(area, 3), 9.0);
  EXPECT_EQ(w.fetch(join, "a", "b", "c"), "a/b/c");
  EXPECT_EQ(w.fetch(join, std::string("a"), std::string_view("b"), std::string("c")), "a/b/c");
  const std::vector<double> values{1, 2, 3.5};
  EXPECT_EQ(w.fetch(total, values), 6.5);
  EXPECT_EQ(w.fetch(total, std::span(values).first(2)), 3.0);
  EXPECT_EQ(w.fetch(consume, "text"), "text!");
  EXPECT_EQ(w.fetch(a_view), "seen");
}

TEST_F(Calls, AcceptLambdasAndFunctorsWithoutState) {
  const auto w = start(1).front();
  EXPECT_EQ(w.fetch([](double r) { return r * r; }, 2), 4.0);
  EXPECT_EQ(w.fetch([](auto a, const auto& b) { return a + b.size(); }, 2U, std::vector<int>(3)), 5U);
  EXPECT_EQ(w.fetch(times_two(), 21), 42);
  w.fetch([] {});
}

TEST_F(Calls, CarryEverythingThatCanTravel) {
  const auto w = start(1).front();
  const point p = w.fetch([](point q) { return point{q.y, q.x}; }, point{1, 2});
  EXPECT_EQ(p.x, 2);
  const person who{"Ada", {{"maths", {1, 2}}, {"latin", {}}}};
  const person back = w.fetch(
      [](person q) {
        q.name += '!';
        return q;
      },
      who);
  EXPECT_EQ(back.name, "Ada!");
  EXPECT_EQ(back.marks, who.marks);
  using values = std::tuple<int, std::optional<std::string>, std::array<int, 3>>;
  EXPECT_EQ(w.fetch([](values v) { return v; }, values{1, "two", {3, 4, 5}}), values(1, "two", {3, 4, 5}));
  EXPECT_EQ(w.fetch([](any a) { return a.as<std::string>(); }, any("inside")), "inside");
}

TEST_F(Calls, CarryArgumentsAndResultsOfAnySize) {
  const auto w = start(1).front();
  for (const std::size_t count : {0UL, 1UL, 20UL, 28UL, 29UL, 512UL, 100'000UL, 3'000'000UL}) {
    std::vector<double> values(count);
    std::iota(values.begin(), values.end(), 1.0);
    EXPECT_EQ(w.fetch(
                   [](std::vector<double> v) {
                     for (double& x : v) x = -x;
                     return v;
                   },
                   values)
                  .size(),
              count);
    if (count != 0) {
      EXPECT_EQ(w.fetch([](const std::vector<double>& v) { return v.back(); }, values), static_cast<double>(count));
    }
  }
}

TEST_F(Calls, TenThousandToOneWorker) {
  const auto w = start(1).front();
  std::vector<future<int>> answers;
  for (int i = 0; i < 10'000; ++i) answers.push_back(w.call([](int x) { return x + 1; }, i));
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(answers[static_cast<std::size_t>(i)].get(), i + 1);
}

TEST_F(Calls, AfterAnotherInAnyNumberUseResultsOver) {
  const auto w = start(1).front();
  for (int i = 0; i < 3'000; ++i) ASSERT_EQ(w.fetch([](int x) { return std::vector<int>(200, x); }, i)[199], i);
  for (int i = 0; i < 3'000; ++i) static_cast<void>(w.call([](int x) { return std::vector<int>(200, x); }, i));
  EXPECT_EQ(w.fetch([] { return 1; }), 1);
}

TEST_F(Calls, GoRoundFromProcessToProcess) {
  start(2);
  // 1 -> 2 -> 3 -> 2, which waits and serves meanwhile
  const auto trace = worker(2).fetch([] {
    return std::vector<process_id>{my_id(),
                                   worker(3).fetch([] { return worker(2).fetch([] { return my_id() * 10; }); })};
  });
  EXPECT_EQ(trace, (std::vector<process_id>{2, 20}));
}

TEST_F(Calls, OfAProcessToItselfAndToTheControlProcess) {
  const auto w = start(1).front();
  EXPECT_EQ(w.fetch([] { return worker(my_id()).fetch([] { return my_id(); }); }), 2U);
  EXPECT_EQ(w.fetch([] { return worker(1).fetch([] { return my_id(); }); }), 1U);
  EXPECT_EQ(worker(1).fetch([] { return my_id(); }), 1U);
}

TEST_F(Calls, ThatWaitDoNotKeepTheirWorkerFromServing) {
  const auto w = start(1).front();
  channel<int> in(1);
  channel<int> out(1);
  std::vector<future<int>> waiting;
  for (int i = 0; i < 20; ++i) waiting.push_back(w.call([](channel<int> c) { return c.take(); }, in));
  EXPECT_EQ(w.fetch([] { return 5; }), 5);
  for (int i = 0; i < 20; ++i) in.put(i);
  int sum = 0;
  for (const auto& each : waiting) sum += each.get();
  EXPECT_EQ(sum, 190);
  // One that feeds the other, on the same worker.
  const auto taker = w.call([](channel<int> c) { return c.take() + 1; }, out);
  w.fetch([](channel<int> c) { c.put(41); }, out);
  EXPECT_EQ(taker.get(), 42);
}

std::atomic<int> inside{0};
std::atomic<int> most_inside{0};
void stay_inside() {
  const int now = ++inside;
  int most = most_inside;
  while (now > most && !most_inside.compare_exchange_weak(most, now)) {
  }
  std::this_thread::sleep_for(5ms);
  --inside;
}

TEST_F(Calls, RunOneAtATimeUnlessMoreAreAskedFor) {
  const auto one = start(1).front();
  const auto three = start(1, {.concurrency = 3}).front();
  for (const auto& w : {one, three}) {
    std::vector<future<void>> all;
    for (int i = 0; i < 30; ++i) all.push_back(w.call(stay_inside));
    for (const auto& each : all) each.get();
  }
  EXPECT_EQ(one.fetch([] { return most_inside.load(); }), 1);
  EXPECT_EQ(three.fetch([] { return most_inside.load(); }), 3);
}

std::vector<int> order;

TEST_F(Calls, OfOneCallerBeginInTheOrderMade) {
  const auto w = start(1).front();
  channel<int> pause(1);
  for (int i = 0; i < 1'000; ++i) {
    w.post(
        [](int x, channel<int> c) {
          order.push_back(x);
          if (x % 100 == 0) static_cast<void>(c.take_for(1ms));  // lets the next begin
        },
        i, pause);
  }
  std::vector<int> expected(1'000);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(w.fetch([] { return order; }), expected);
}

TEST_F(Calls, TakeTheirArgumentsAtOnce) {
  const auto w = start(1).front();
  std::vector<int> values{1, 2, 3};
  const auto sum = w.call([](const std::vector<int>& v) { return v[0] + v[1] + v[2]; }, values);
  values = {0, 0, 0};
  EXPECT_EQ(sum.get(), 6);
}

TEST_F(Calls, CarryWorkersAndFutures) {
  const auto ws = start(2);
  const auto f = ws[0].call([] { return 6; });
  EXPECT_EQ(ws[1].fetch([](future<int> g, worker from) { return g.get() * static_cast<int>(from.id()); }, f, ws[0]),
            12);
  const auto all = ws[1].fetch(
      [](std::vector<worker> which) {
        std::vector<process_id> ids;
        for (const worker& each : which) ids.push_back(each.id());
        return ids;
      },
      ws);
  EXPECT_EQ(all, (std::vector<process_id>{2, 3}));
  // A future made by one worker for a call to another comes back to us.
  const future<std::string> made = ws[0].fetch([] { return worker(3).call([] { return std::string("from 3"); }); });
  EXPECT_EQ(made.get(), "from 3");
  EXPECT_EQ(made.get(), "from 3");
}

TEST_F(Calls, ReturnChannelsMadeOnTheWorker) {
  const auto w = start(1).front();
  const auto make = [] { return channel<std::vector<double>>(1); };
  auto r1 = w.fetch(make);
  auto r2 = w.fetch(make);
  EXPECT_EQ(r1.where(), 2U);
  EXPECT_EQ(r2.whence(), 2U);
  EXPECT_EQ(r1.id(), 1U);
  EXPECT_EQ(r2.id(), 2U);
  r1.put({1, 2, 3});
  EXPECT_EQ(w.fetch([](channel<std::vector<double>> c) { return c.take(); }, r1), (std::vector<double>{1, 2, 3}));
}

TEST_F(Calls, PostedGiveNoAnswerAndRunInOrder) {
  const auto w = start(1).front();
  w.post([](const std::string& text) { globals().set("posted", text); }, "hi");
  EXPECT_EQ(w.global<std::string>("posted"), "hi");
}

TEST_F(Calls, EverywhereRunOnAllWorkersAndHere) {
  const auto ws = start(3);
  session().everywhere([](int x) { globals().set("everywhere", x + static_cast<int>(my_id())); }, 7);
  EXPECT_EQ(globals().get<int>("everywhere"), 8);
  for (const auto& w : ws) EXPECT_EQ(w.global<int>("everywhere"), 7 + static_cast<int>(w.id()));
}

TEST_F(Calls, EverywhereWaitForAllAndThenThrowTheFirstError) {
  const auto ws = start(3);
  channel<int> ran(8);
  const auto f = [](channel<int> c) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10 * my_id()));
    c.put(static_cast<int>(my_id()));
    if (my_id() == 3 || my_id() == 4) throw std::runtime_error("on " + std::to_string(my_id()));
  };
  try {
    session().everywhere(f, ran);
    FAIL();
  } catch (const remote_error& e) {
    EXPECT_EQ(e.worker(), 3U);
    EXPECT_EQ(e.message(), "on 3");
  }
  EXPECT_EQ(ran.size(), 4U);
}

TEST_F(Calls, FromManyThreadsAtOnce) {
  const auto ws = start(2);
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        const auto& w = ws[static_cast<std::size_t>(i % 2)];
        if (w.fetch([](int a, int b) { return a * 1000 + b; }, t, i) == t * 1000 + i) ++right;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 1200);
}

TEST_F(Calls, BetweenWorkersInBothDirectionsAtOnce) {
  const auto ws = start(2);
  const auto ask = [](worker other) {
    int sum = 0;
    for (int i = 0; i < 300; ++i) sum += other.fetch([](int x) { return x; }, i);
    return sum;
  };
  const auto a = ws[0].call(ask, ws[1]);
  const auto b = ws[1].call(ask, ws[0]);
  EXPECT_EQ(a.get(), 44'850);
  EXPECT_EQ(b.get(), 44'850);
}

}  // namespace
}  // namespace weir::tests
