// SPDX-License-Identifier: BSL-1.0
// Items of a map that fail: retries, on_error, and what ends the map.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <exception>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "numbers.hpp"
#include "support/session.hpp"
#include "weir/channel.hpp"
#include "weir/map_options.hpp"

namespace weir::tests {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class MapErrors : public SessionTest {
 protected:
  /// Starts workers, on which functions write down what they do.
  void start_with_log(std::size_t count) {
    for (const worker& each : start(count)) {
      each.fetch([](channel<int> log) { globals().set("log", log); }, log_);
    }
  }
  /// How often item i was run.
  std::vector<int> runs(std::size_t items) const {
    std::vector<int> count(items);
    for (const int each : log_.peek()) ++count[static_cast<std::size_t>(each)];
    return count;
  }

 private:
  channel<int> log_{10'000};
};

void log_run(int item) { globals().get<channel<int>>("log").put(item); }
int fail_at_3(int item) {
  if (item == 3) throw std::out_of_range("three");
  return item;
}
int log_and_fail_at_3(int item) {
  log_run(item);
  return fail_at_3(item);
}

TEST_F(MapErrors, TheErrorOfTheFirstItemThatFailedIsThrown) {
  start(3);
  try {
    session().map(
        [](int item) {
          if (item >= 3) throw std::out_of_range("item " + std::to_string(item));
        },
        numbers(100), {.batch_size = 2});
    FAIL();
  } catch (const remote_error& e) {
    EXPECT_EQ(e.message(), "item 3");
    EXPECT_THAT(e.what(), StartsWith("On worker "));
    EXPECT_THROW(std::rethrow_if_nested(e), std::out_of_range);
  }
}

TEST_F(MapErrors, CallsUnderWayHaveReturnedWhenTheErrorIsThrown) {
  start_with_log(2);
  channel<int> gate(1);
  EXPECT_THROW(session().map(
                   [](channel<int> ch) {
                     if (ch.capacity() == 1) throw std::runtime_error("at once");
                     ch.put(1);
                   },
                   std::vector{channel<int>(2), gate, channel<int>(2)}),
               remote_error);
  EXPECT_THROW(session().map(log_and_fail_at_3, numbers(1000)), remote_error);
  const std::vector<int> ran = runs(1000);
  // The other worker gets some more until the error has been seen, which on a loaded machine is later; not all of them.
  EXPECT_LT(std::accumulate(ran.begin(), ran.end(), 0), 500);
}

TEST_F(MapErrors, EachItemOfABatchFailsOnItsOwn) {
  start_with_log(2);
  std::vector<std::size_t> seen;
  map_options options{.batch_size = 10, .retries = 1};
  options.on_error = [&](const map_failure& failure) {
    seen.push_back(failure.index);
    EXPECT_EQ(failure.attempts, 2);
    EXPECT_THROW(std::rethrow_exception(failure.error), remote_error);
    return -1;
  };
  EXPECT_THAT(session().map(log_and_fail_at_3, numbers(6), options), ElementsAre(0, 1, 2, -1, 4, 5));
  EXPECT_THAT(seen, ElementsAre(3U));
  EXPECT_THAT(runs(6), ElementsAre(1, 1, 1, 2, 1, 1));
}

TEST_F(MapErrors, AnItemIsTriedAgainOnAnotherWorker) {
  start(2);
  const auto fail_on_2 = [](int /*item*/) {
    if (my_id() == 2) throw std::runtime_error("not here");
    return my_id();
  };
  EXPECT_THAT(session().map(fail_on_2, numbers(50), {.retries = 1}), Each(3U));
  EXPECT_THAT(session().map(fail_on_2, numbers(50), {.batch_size = 7, .retries = 1}), Each(3U));
}

TEST_F(MapErrors, AnItemIsTriedAgainOnTheOnlyWorker) {
  start_with_log(1);
  static int calls = 0;
  const auto succeed_at_third = [](int item) {
    log_run(item);
    if (item == 1 && ++calls < 3) throw std::runtime_error("not yet");
    return item;
  };
  EXPECT_THROW(session().map(succeed_at_third, numbers(3), {.retries = 1}), remote_error);
  EXPECT_THAT(session().map(succeed_at_third, numbers(3), {.retries = 2}), ElementsAre(0, 1, 2));
}

TEST_F(MapErrors, ItemsAreTriedAgainHereIfThereAreNoWorkers) {
  static int calls = 0;
  const auto succeed_at_third = [](int item) {
    if (item == 1 && ++calls < 3) throw std::runtime_error("not yet");
    return item;
  };
  EXPECT_THAT(session().map(succeed_at_third, numbers(3), {.batch_size = 3, .retries = 2}), ElementsAre(0, 1, 2));
}

TEST_F(MapErrors, OnErrorMayTakeTheErrorInThreeWays) {
  start(2);
  const auto with = [&](map_error_handler handler) {
    map_options options;
    options.on_error = std::move(handler);
    return session().map(fail_at_3, numbers(5), options);
  };
  EXPECT_THAT(with([](const map_failure& f) { return static_cast<int>(f.index) * 100; }), ElementsAre(0, 1, 2, 300, 4));
  EXPECT_THAT(with([](std::exception_ptr e) { return e ? -1 : -2; }), ElementsAre(0, 1, 2, -1, 4));
  std::string what;
  EXPECT_THAT(with([&](const std::exception& e) {
                what = e.what();
                return -3;
              }),
              ElementsAre(0, 1, 2, -3, 4));
  EXPECT_THAT(what, HasSubstr("std::out_of_range: three"));
  EXPECT_THAT(with([](const auto& failure) { return failure.attempts; }), ElementsAre(0, 1, 2, 1, 4));
}

TEST_F(MapErrors, WhatOnErrorReturnsIsConvertedToAResult) {
  start(1);
  const auto as = [&]<class R>(R (*f)(int), map_error_handler handler) {
    map_options options;
    options.on_error = std::move(handler);
    return session().map(f, std::vector{3}, options).front();
  };
  const auto number = +[](int item) -> double { return fail_at_3(item); };
  const auto text = +[](int item) -> std::string { return std::to_string(fail_at_3(item)); };
  const auto maybe = +[](int item) -> std::optional<long> { return fail_at_3(item); };
  EXPECT_EQ(as(number, [](std::exception_ptr) { return 7; }), 7.0);
  EXPECT_EQ(as(number, [](std::exception_ptr) { return std::any(2.5F); }), 2.5);
  EXPECT_EQ(as(text, [](std::exception_ptr) { return "none"; }), "none");
  EXPECT_EQ(as(text, [](const std::exception&) { return std::string("none"); }), "none");
  EXPECT_EQ(as(maybe, [](std::exception_ptr) { return std::nullopt; }), std::nullopt);
  EXPECT_EQ(as(maybe, [](std::exception_ptr) { return 5; }), 5);
  try {
    as(number, [](std::exception_ptr) { return "five"; });
    FAIL();
  } catch (const type_mismatch& e) {
    EXPECT_STREQ(e.what(), "weir: map: on_error returned what does not convert to double, the function's result");
  }
}

TEST_F(MapErrors, AnErrorGoesOnAfterAHandlerThatReturnsNothing) {
  start(1);
  std::size_t seen = 0;
  map_options options;
  options.on_error = [&](const map_failure& failure) { seen = failure.index; };
  EXPECT_THROW(session().map(fail_at_3, numbers(5), options), remote_error);
  EXPECT_EQ(seen, 3U);
}

TEST_F(MapErrors, AHandlerThatReturnsNothingIsEnoughWhereThereAreNoResults) {
  start(2);
  std::vector<std::size_t> seen;
  map_options options;
  options.on_error = [&](const map_failure& failure) { seen.push_back(failure.index); };
  session().map([](int item) { fail_at_3(item % 4); }, numbers(8), options);
  std::sort(seen.begin(), seen.end());
  EXPECT_THAT(seen, ElementsAre(3U, 7U));
}

TEST_F(MapErrors, WhatOnErrorThrowsEndsTheMap) {
  start(2);
  map_options options;
  options.on_error = [](const std::exception& e) -> int { throw std::domain_error(std::string("then: ") + e.what()); };
  EXPECT_THROW(session().map(fail_at_3, numbers(100), options), std::domain_error);
}

TEST_F(MapErrors, AResultThatCannotTravelFailsAlone) {
  start(1);
  map_options options{.batch_size = 3};
  const channel<int> spare(2);
  options.on_error = [&](const map_failure& failure) {
    EXPECT_EQ(failure.index, 1U);
    EXPECT_THROW(std::rethrow_exception(failure.error), remote_error);
    return spare;
  };
  const auto made =
      session().map([](int item) { return item == 1 ? channel<int>() : channel<int>(1); }, numbers(3), options);
  EXPECT_EQ(made[0].capacity(), 1U);
  EXPECT_EQ(made[1].capacity(), 2U);
  EXPECT_EQ(made[2].capacity(), 1U);
}

TEST_F(MapErrors, AnArgumentThatCannotTravelEndsTheMap) {
  start(2);
  EXPECT_THROW(session().map([](channel<int> ch) { return ch.capacity(); }, std::vector<channel<int>>(3)),
               invalid_argument);
}

}  // namespace
}  // namespace weir::tests
