// SPDX-License-Identifier: BSL-1.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <ctime>
#include <list>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "numbers.hpp"
#include "support/child.hpp"
#include "support/session.hpp"
#include "weir/channel.hpp"
#include "weir/map_options.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Map : public SessionTest {};

double twice(double x) { return 2 * x; }
process_id where_am_i(int /*item*/) { return my_id(); }

/// A channel that functions on all workers find under a name, also those that come later if they are told.
template <class T>
void share(const session& s, const char* name, const channel<T>& ch) {
  for (const worker& each : s.workers()) {
    each.fetch([](const std::string& n, channel<T> c) { globals().set(n, c); }, std::string(name), ch);
  }
}

/// Item 0 waits at the gate.
process_id wait_if_first(int item) {
  if (item == 0) globals().get<channel<int>>("gate").take();
  return my_id();
}

// ----------------------------------------------------------------------------------------------------- what it gives

TEST_F(Map, GivesResultsInTheOrderOfTheItems) {
  start(3);
  const std::vector<int> items = numbers(200);
  const std::vector<double> results = session().map(twice, items);
  ASSERT_EQ(results.size(), items.size());
  for (std::size_t i = 0; i < items.size(); ++i) EXPECT_EQ(results[i], 2.0 * items[i]);
}

TEST_F(Map, TakesTheItemsOfAnyRange) {
  start(2);
  const auto exclaim = [](const std::string& text) { return text + '!'; };
  EXPECT_THAT(session().map(exclaim, std::list<std::string>{"a", "b", "c"}), ElementsAre("a!", "b!", "c!"));
  EXPECT_THAT(session().map(exclaim, {"x", "y"}), ElementsAre("x!", "y!"));
  const char* const texts[] = {"p", "q"};
  EXPECT_THAT(session().map(exclaim, texts), ElementsAre("p!", "q!"));
  EXPECT_THAT(session().map([](bool b) { return !b; }, std::vector<bool>{true, false}), ElementsAre(false, true));
  EXPECT_THAT(session().map([](std::pair<int, double> p) { return p.first * p.second; },
                            std::map<int, double>{{2, 1.5}, {3, 0.5}}),
              ElementsAre(3.0, 1.5));
  EXPECT_THAT(session().map([](auto x) { return x * 2; }, std::array{0.5, 1.5}), ElementsAre(1.0, 3.0));
}

TEST_F(Map, TakesItemsFromAChannelUntilItIsClosed) {
  start(2);
  channel<std::string> jobs(10);
  for (const char* each : {"one", "three", "seven"}) jobs.put(each);
  jobs.close();
  EXPECT_THAT(session().map([](const std::string& s) { return s.size(); }, jobs), ElementsAre(3U, 5U, 5U));
}

TEST_F(Map, OfAnEmptyRangeIsEmpty) {
  EXPECT_THAT(session().map(twice, std::vector<double>()), IsEmpty());
  start(1);
  EXPECT_THAT(session().map(twice, std::vector<double>()), IsEmpty());
}

struct no_default {
  explicit no_default(int n) : value(n) {}
  int value;
};

TEST_F(Map, BringsResultsOfEveryKind) {
  start(2);
  const auto lists = session().map([](int n) { return std::vector<double>(static_cast<std::size_t>(n), n); },
                                   std::vector{0, 1, 100'000}, {.batch_size = 2});
  EXPECT_THAT(lists[0], IsEmpty());
  EXPECT_EQ(lists[2], std::vector<double>(100'000, 100'000));
  const auto tables = session().map([](int n) { return std::map<int, std::string>{{n, "n"}}; }, numbers(3));
  EXPECT_EQ(tables[2].at(2), "n");
  const auto made = session().map([](int n) { return no_default(n); }, numbers(3), {.batch_size = 2});
  EXPECT_EQ(made[2].value, 2);
  // Handles: the channel that comes back is the one that was sent.
  std::vector<channel<int>> sent{channel<int>(1), channel<int>(1), channel<int>(1)};
  const auto same = session().map(
      [](channel<int> ch) {
        ch.put(7);
        return ch;
      },
      sent, {.batch_size = 2});
  EXPECT_EQ(same[1].id(), sent[1].id());
  EXPECT_EQ(sent[2].take(), 7);
}

TEST_F(Map, OfAFunctionWithoutAResultReturnsNothing) {
  start(2);
  channel<int> log(10);
  share(session(), "log", log);
  static_assert(std::is_void_v<decltype(session().map([](int) {}, numbers(5)))>);
  session().map([](int item) { globals().get<channel<int>>("log").put(item); }, numbers(5), {.batch_size = 2});
  log.close();
  EXPECT_THAT(std::vector<int>(log.peek()), testing::UnorderedElementsAre(0, 1, 2, 3, 4));
}

// --------------------------------------------------------------------------------------------------- how it is shared

TEST_F(Map, SendsSoManyItemsInACall) {
  start(3);
  for (const std::size_t size : {1U, 4U, 100U}) {
    const auto where = session().map(where_am_i, numbers(50), {.batch_size = size});
    for (std::size_t i = 0; i < where.size(); ++i) EXPECT_EQ(where[i], where[i / size * size]) << i << " of " << size;
  }
}

TEST_F(Map, GivesAWorkerTheNextItemsWhenItHasDoneTheLast) {
  start(2);
  channel<int> gate(1);
  share(session(), "gate", gate);
  map_options options;
  options.on_progress = [&](std::size_t done, std::size_t /*total*/) {
    if (done == 19) gate.put(0);
  };
  auto where = session().map(wait_if_first, numbers(20), options);
  const process_id first = where.front();
  where.erase(where.begin());
  EXPECT_THAT(where, Each(5 - first));  // workers 2 and 3
}

TEST_F(Map, IsJoinedByWorkersThatComeMeanwhile) {
  const worker w2 = start(1).front();
  channel<int> gate(1);
  channel<int> begun(1);
  share(session(), "gate", gate);
  share(session(), "begun", begun);
  std::jthread adds([&] {
    begun.take();
    start(1);
  });
  map_options options;
  options.on_progress = [&](std::size_t done, std::size_t /*total*/) {
    if (done == 9) gate.put(0);
  };
  const auto where = session().map(
      [](int item) {
        if (item == 0) globals().get<channel<int>>("begun").put(0);
        return wait_if_first(item);
      },
      numbers(10), options);
  EXPECT_EQ(where.front(), 2U);
  EXPECT_THAT(std::vector(where.begin() + 1, where.end()), Each(3U));
}

TEST_F(Map, IsDoneByThoseWorkersThatAreNamed) {
  const auto all = start(3);
  const auto where = session().map(where_am_i, numbers(30), {.workers = {all[1], all[1]}});
  EXPECT_THAT(where, Each(3U));
  EXPECT_THAT(session().map(where_am_i, numbers(3), {.workers = {worker(1)}}), Each(1U));
}

TEST_F(Map, RunsHereIfThereAreNoWorkers) {
  const auto here = std::this_thread::get_id();
  static std::thread::id there;
  EXPECT_THAT(session().map(
                  [](int item) {
                    there = std::this_thread::get_id();
                    return where_am_i(item);
                  },
                  numbers(5), {.batch_size = 2}),
              ElementsAre(1U, 1U, 1U, 1U, 1U));
  EXPECT_EQ(there, here);
  try {
    session().map([](int i) { return std::vector<int>(3).at(static_cast<std::size_t>(i)); }, numbers(5));
    FAIL();
  } catch (const remote_error& e) {
    EXPECT_EQ(e.worker(), 1U);
    EXPECT_EQ(e.type(), "std::out_of_range");
    EXPECT_THROW(std::rethrow_if_nested(e), std::out_of_range);
  }
  EXPECT_EQ(session().map([](channel<int> ch) { return ch; }, std::vector{channel<int>(1)}).size(), 1U);
}

TEST_F(Map, GoesFromHereToAWorkerThatComes) {
  map_options options;
  options.on_progress = [&](std::size_t done, std::size_t /*total*/) {
    if (done == 2) start(1);
  };
  EXPECT_THAT(session().map(where_am_i, numbers(4), options), ElementsAre(1U, 1U, 2U, 2U));
}

TEST_F(Map, MayBeCalledBySeveralThreadsAtOnce) {
  start(2);
  std::array<std::vector<double>, 3> results;
  {
    std::vector<std::jthread> threads;
    for (auto& each : results) {
      threads.emplace_back([&each, this] { each = session().map(twice, numbers(300), {.batch_size = 3}); });
    }
  }
  for (const auto& each : results) {
    ASSERT_EQ(each.size(), 300U);
    EXPECT_EQ(each[299], 598);
  }
}

TEST_F(Map, UsesNoCpuWhileItsWorkersCompute) {
  start(1);
  const auto cpu_time = [] {
    timespec used{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
  };
  const auto before = cpu_time();
  session().map([](int) { std::this_thread::sleep_for(500ms); }, numbers(1));
  EXPECT_LT(cpu_time() - before, 100ms);
}

TEST_F(Map, IsRefusedInAForkedChild) {
  start(1);
  child forked([&] {
    try {
      session().map(twice, numbers(3));
    } catch (const not_in_session&) {
      return 0;
    }
    return 1;
  });
  EXPECT_EQ(forked.wait(), 0);
}

// ---------------------------------------------------------------------------------------------------------- progress

TEST_F(Map, TellsHowFarItHasCome) {
  start(2);
  std::vector<std::pair<std::size_t, std::size_t>> told;
  map_options options{.batch_size = 3};
  options.on_progress = [&](std::size_t done, std::size_t total) { told.emplace_back(done, total); };
  session().map(twice, numbers(6), options);
  EXPECT_THAT(told, ElementsAre(std::pair(0U, 6U), std::pair(3U, 6U), std::pair(6U, 6U)));
  told.clear();
  channel<int> unsized(1);
  unsized.put(1);
  unsized.close();
  session().map(twice, unsized, options);
  EXPECT_THAT(told, ElementsAre(std::pair(0U, 0U), std::pair(1U, 0U)));
}

TEST_F(Map, EndsWithWhatOnProgressThrows) {
  start(2);
  map_options options;
  options.on_progress = [&](std::size_t done, std::size_t /*total*/) {
    if (done == 4) throw std::domain_error("enough");
  };
  EXPECT_THROW(session().map(twice, numbers(1000), options), std::domain_error);
  EXPECT_EQ(session().map(twice, numbers(3)).size(), 3U);
}

/// Counts down, and then throws.
class failing_range {
 public:
  class iterator {
   public:
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    int operator*() const { return left_; }
    iterator& operator++() {
      if (--left_ == 0) throw std::length_error("no more");
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t /*end*/) const { return false; }

   private:
    int left_ = 5;
  };
  [[nodiscard]] iterator begin() const { return {}; }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }
};

TEST_F(Map, EndsWithWhatTheRangeThrows) {
  EXPECT_THROW(session().map(twice, failing_range()), std::length_error);
  start(2);
  EXPECT_THROW(session().map(twice, failing_range()), std::length_error);
  EXPECT_THROW(session().map(twice, failing_range(), {.batch_size = 3}), std::length_error);
}

TEST_F(Map, RefusesOptionsThatMakeNoSense) {
  start(1);
  EXPECT_THROW(session().map(twice, numbers(1), {.batch_size = 0}), invalid_argument);
  EXPECT_THROW(session().map(twice, numbers(1), {.retries = -1}), invalid_argument);
  EXPECT_THROW(session().map(twice, numbers(1), {.workers = {worker()}}), invalid_argument);
}

}  // namespace
}  // namespace weir::tests
