// SPDX-License-Identifier: BSL-1.0
// select within one process: what it does, what it leaves alone, and how it chooses.
#include "weir/select.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "segment/segment.hpp"
#include "support/wait.hpp"
#include "weir/any.hpp"
#include "weir/error.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

// --------------------------------------------------------------------------------------------------------------- doing

TEST(Select, DoesTheCaseThatCanGoAndReturnsItsPlace) {
  channel<int> empty(1);
  channel<int> full(1);
  channel<std::string> ready(1);
  full.put(1);
  ready.put("here");
  std::string got;
  EXPECT_EQ(select(on_take(empty, [](int) { FAIL(); }), on_put(full, 2, [] { FAIL(); }),
                   on_take(ready, [&](std::string item) { got = std::move(item); }), on_timeout(kPatience)),
            2U);
  EXPECT_EQ(got, "here");
  EXPECT_EQ(full.take(), 1);
  EXPECT_TRUE(full.is_empty());
}

TEST(Select, TakesIntoAVariable) {
  channel<std::vector<int>> lists(1);
  channel<int> numbers(1);
  lists.put(std::vector<int>{1, 2, 3});
  std::vector<int> list;
  int number = 0;
  EXPECT_EQ(select(on_take(numbers, number), on_take(lists, list)), 1U);
  EXPECT_EQ(list, (std::vector<int>{1, 2, 3}));
  numbers.put(4);
  EXPECT_EQ(select(on_take(numbers, number), on_take(lists, list)), 0U);
  EXPECT_EQ(number, 4);
}

TEST(Select, PutsVariablesValuesAndSources) {
  channel<std::string> texts(4);
  const std::string variable = "variable";
  select(on_put(texts, variable));
  select(on_put(texts, std::string("value")));
  select(on_put(texts, "literal"));
  select(on_put(texts, std::string_view("view")));
  EXPECT_EQ(texts.peek(), (std::vector<std::string>{"variable", "value", "literal", "view"}));
  channel<double> numbers(2);
  select(on_put(numbers, 3));
  EXPECT_EQ(numbers.take(), 3.0);
  channel<any> things(2);
  select(on_put(things, "thing"));
  std::string thing;
  select(on_take(things, [&](any item) { thing = item.as<std::string>(); }));
  EXPECT_EQ(thing, "thing");
  channel<std::vector<std::string>> encoded(1);
  const std::vector<std::string> words{"a", "b"};
  select(on_put(encoded, words));
  EXPECT_EQ(encoded.take(), words);
}

TEST(Select, PutsItemsThatAreLargerThanASlot) {
  channel<std::vector<int>> lists(1);
  const std::vector<int> large(500'000, 7);
  EXPECT_EQ(select(on_put(lists, large)), 0U);
  EXPECT_EQ(select(on_put(lists, large), on_timeout(1ms)), 1U);
  std::vector<int> got;
  EXPECT_EQ(select(on_take(lists, got)), 0U);
  EXPECT_EQ(got, large);
}

TEST(Select, CallsHandlersAfterTheFactAndLetsTheirExceptionsOut) {
  channel<int> numbers(1);
  EXPECT_THROW(select(on_put(numbers, 5, [&]() { throw std::runtime_error("mine"); })), std::runtime_error);
  EXPECT_EQ(numbers.size(), 1U);
  EXPECT_THROW(select(on_take(numbers, [&](int) -> int { throw std::runtime_error("mine"); })), std::runtime_error);
  EXPECT_TRUE(numbers.is_empty());
  EXPECT_EQ(select(on_take(numbers, [](int) {}), on_timeout(0ms, [] { return "ignored"; })), 1U);
}

TEST(Select, ACaseThatIsNotChosenHasNoEffect) {
  for (int round = 0; round < 200; ++round) {
    channel<int> from(2);
    channel<std::vector<std::string>> to(2);
    from.put(1);
    const std::size_t chosen =
        select(on_take(from, [](int) {}), on_put(to, std::vector<std::string>{"x"}), on_timeout(kPatience));
    ASSERT_LE(chosen, 1U);
    EXPECT_EQ(from.size(), chosen == 0 ? 0U : 1U);
    EXPECT_EQ(to.size(), chosen == 0 ? 0U : 1U);
  }
}

TEST(Select, AHandleInAPutThatIsNotChosenKeepsNothingAlive) {
  std::string name;
  channel<channel<int>> full(1);
  full.put(channel<int>(1));
  {
    const channel<int> sent(1);
    name = sent.name();
    EXPECT_EQ(select(on_put(full, sent), on_timeout(1ms)), 1U);
    channel<channel<int>> roomy(1);
    EXPECT_EQ(select(on_put(full, sent), on_put(roomy, sent)), 1U);
    select(on_take(roomy, [&](channel<int> got) { EXPECT_EQ(got, sent); }));
  }
  EXPECT_EQ(shm::list_segments(name), std::vector<std::string>());
}

TEST(Select, ThrowsForAHandleThatRefersToNothing) {
  const channel<int> none;
  EXPECT_THROW(select(on_take(none, [](int) {})), invalid_argument);
  EXPECT_THROW(select(on_put(none, 1)), invalid_argument);
  const future<int> no_call;
  EXPECT_THROW(select(on_ready(no_call)), invalid_argument);
}

TEST(Select, OfAnItemThatIsTooLargeThrowsAndChangesNothing) {
  channel<std::vector<int>> small(1, {.max_item_bytes = 4096});
  const std::vector<int> large(5000);
  EXPECT_THROW(select(on_put(small, large)), item_too_large);
  EXPECT_TRUE(small.is_empty());
}

// ------------------------------------------------------------------------------------------------------------ choosing

TEST(Select, ChoosesAtRandomAmongSeveralThatCanGo) {
  channel<int> a(1);
  channel<int> b(1);
  channel<int> c(1);
  std::array<int, 4> times{};
  for (int round = 0; round < 4000; ++round) {
    if (a.is_empty()) a.put(1);
    if (b.is_empty()) b.put(1);
    static_cast<void>(c.try_take());
    ++times[select(on_take(a, [](int) {}), on_take(b, [](int) {}), on_put(c, 1), on_timeout(0ms))];
  }
  for (std::size_t i = 0; i < 3; ++i) EXPECT_GT(times[i], 1000) << "case " << i;
  EXPECT_EQ(times[3], 0);
}

TEST(Select, NoCaseStarvesBesideOneThatCanAlwaysGo) {
  channel<int> busy(1);
  channel<int> meeting(0);
  int met = 0;
  std::jthread taker([&](const std::stop_token& stop) {
    while (meeting.take(stop)) ++met;
  });
  int rounds = 0;
  int put = 0;
  const auto give_up = steady::now() + kPatience;
  while (put < 20 && steady::now() < give_up) {
    if (busy.is_empty()) busy.put(1);
    if (select(on_take(busy, [](int) {}), on_put(meeting, 1)) == 1) ++put;
    // The taker has to come to sleep now and then.
    if (++rounds % 16 == 0) std::this_thread::sleep_for(1ms);
  }
  taker.request_stop();
  taker.join();
  EXPECT_EQ(put, 20);
  EXPECT_EQ(met, put);
}

TEST(Select, AClosedChannelBesideABusyOneIsNoticed) {
  channel<int> busy(1);
  channel<int> quit(1);
  quit.close();
  const auto until_it_ends = [&] {
    for (int round = 0; round < 1000; ++round) {
      if (busy.is_empty()) busy.put(1);
      select(on_take(busy, [](int) {}), on_take(quit, [](int) {}));
    }
  };
  EXPECT_THROW(until_it_ends(), channel_closed);
}

TEST(Select, MayHaveAChannelInSeveralCases) {
  channel<int> both(1);
  EXPECT_EQ(select(on_take(both, [](int) {}), on_put(both, 5), on_take(both, [](int) {})), 1U);
  int got = 0;
  EXPECT_NE(select(on_take(both, got), on_put(both, 6), on_take(both, got)), 1U);
  EXPECT_EQ(got, 5);
}

}  // namespace
}  // namespace weir::tests
