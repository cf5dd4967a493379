// SPDX-License-Identifier: BSL-1.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <list>
#include <map>
#include <numeric>
#include <thread>

#include "support/wait.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(PutAll, PutsTheItemsInOrderAndSaysHowMany) {
  channel<int> ch(10);
  EXPECT_EQ(ch.put_all(std::vector<int>{1, 2, 3}), 3U);
  EXPECT_EQ(ch.put_all(std::list<short>{4, 5}), 2U);
  EXPECT_EQ(ch.put_all(std::vector<int>{}), 0U);
  channel<int> source(2);
  source.put_all(std::array{6, 7});
  source.close();
  EXPECT_EQ(ch.put_all(source), 2U);  // a range that can be read once
  EXPECT_THAT(ch.peek(), ElementsAre(1, 2, 3, 4, 5, 6, 7));
}

TEST(PutAll, TakesWhateverPutTakes) {
  channel<std::string> texts(10);
  const std::array<const char*, 2> literals{"a", "b"};
  const std::vector<std::string_view> views{"c", "d"};
  EXPECT_EQ(texts.put_all(literals) + texts.put_all(views), 4U);
  EXPECT_THAT(texts.peek(), ElementsAre("a", "b", "c", "d"));

  channel<std::vector<double>> vectors(10);
  const std::array<double, 3> values{1, 2, 3};
  EXPECT_EQ(vectors.put_all(std::vector<std::span<const double>>{values, std::span(values).first(1)}), 2U);
  EXPECT_THAT(vectors.peek(), ElementsAre(ElementsAre(1, 2, 3), ElementsAre(1)));

  channel<any> anything(10);
  EXPECT_EQ(anything.put_all(std::vector<int>{1, 2}), 2U);
  EXPECT_EQ(anything.take().as<int>(), 1);
}

TEST(PutAll, OfMoreThanFitsWaitsForTakersThatWereAsleep) {
  for (const std::size_t capacity : {0U, 1U, 3U}) {
    channel<int> ch(capacity);
    std::vector<int> taken;
    std::thread taker([&taken, ch]() mutable {
      for (const int n : ch) taken.push_back(n);
    });
    wait_until_waiting(ch, 1);
    std::vector<int> items(500);
    std::iota(items.begin(), items.end(), 0);
    EXPECT_EQ(ch.put_all(items), 500U);
    ch.close();
    taker.join();
    EXPECT_EQ(taken, items);
  }
}

TEST(PutAll, WakesSeveralTakers) {
  channel<int> ch(10);
  std::vector<std::thread> takers;
  for (int i = 0; i < 3; ++i) takers.emplace_back([ch]() mutable { (void)ch.take(); });
  wait_until_waiting(ch, 3);
  EXPECT_EQ(ch.put_all(std::array{1, 2, 3}), 3U);
  for (std::thread& t : takers) t.join();
}

TEST(PutAll, CutShortByClosingSaysHowManyAreIn) {
  channel<int> ch(2);
  std::size_t in = 0;
  std::thread putter([&in, ch]() mutable { in = ch.put_all(std::array{1, 2, 3, 4}); });
  wait_until_waiting(ch, 1);
  ch.close();
  putter.join();
  EXPECT_EQ(in, 2U);
  EXPECT_THAT(ch.take_up_to(10), ElementsAre(1, 2));
  EXPECT_THROW(ch.put_all(std::array{1}), channel_closed);
}

TEST(PutAll, StopsAtAnItemThatIsTooLargeAndLeavesThoseBeforeIt) {
  channel<std::string> ch(10, {.max_item_bytes = 4096});
  const std::vector<std::string> texts{"a", "b", std::string(5000, 'c'), "d"};
  EXPECT_THROW(ch.put_all(texts), item_too_large);
  EXPECT_THAT(ch.peek(), ElementsAre("a", "b"));
}

TEST(TakeUpTo, TakesWhatIsThereAtMostSoMany) {
  channel<std::string> ch(10);
  ch.put_all(std::vector<std::string>{"a", "b", "c"});
  EXPECT_THAT(ch.take_up_to(0), IsEmpty());
  EXPECT_THAT(ch.take_up_to(2), ElementsAre("a", "b"));
  EXPECT_THAT(ch.take_up_to(2), ElementsAre("c"));
}

TEST(TakeUpTo, WaitsForTheFirst) {
  channel<int> ch(10);
  std::thread putter([ch]() mutable {
    std::this_thread::sleep_for(20ms);
    ch.put(1);
  });
  EXPECT_THAT(ch.take_up_to(5), ElementsAre(1));
  putter.join();
}

TEST(TakeUpTo, ThrowsOnlyWhenAClosedChannelIsDrained) {
  channel<int> ch(10);
  ch.put(1);
  ch.close("done");
  EXPECT_THAT(ch.take_up_to(5), ElementsAre(1));
  EXPECT_THROW((void)ch.take_up_to(5), channel_closed);
}

TEST(TakeUpTo, FreesTheRoomOfAllThatItTook) {
  channel<int> ch(3);
  ch.put_all(std::array{1, 2, 3});
  std::vector<std::thread> putters;
  for (int i = 0; i < 3; ++i) putters.emplace_back([ch]() mutable { ch.put(4); });
  wait_until_waiting(ch, 3);
  EXPECT_GE(ch.take_up_to(3).size(), 3U);
  for (std::thread& t : putters) t.join();
}

TEST(Iteration, TakesUntilTheChannelIsClosedAndDrained) {
  channel<std::string> ch(2);
  std::thread putter([ch]() mutable {
    for (int i = 0; i < 20; ++i) ch.put(std::to_string(i));
    ch.close();
  });
  std::vector<std::string> taken;
  for (std::string& text : ch) taken.push_back(std::move(text));
  putter.join();
  EXPECT_EQ(taken.size(), 20U);
  EXPECT_EQ(taken.back(), "19");
}

TEST(Iteration, OverAClosedAndDrainedChannelDoesNothing) {
  channel<int> ch(2);
  ch.close();
  for (const int n : ch) ADD_FAILURE() << n;
}

TEST(Iteration, ThrowsTheReasonAfterAllThatWasInside) {
  channel<int> ch(2);
  ch.put(1);
  ch.close("no more");
  std::vector<int> taken;
  try {
    for (const int n : ch) taken.push_back(n);
    ADD_FAILURE() << "ended quietly";
  } catch (const channel_closed& e) {
    EXPECT_EQ(e.reason(), "no more");
  }
  EXPECT_THAT(taken, ElementsAre(1));
}

TEST(Iteration, WorksWithAlgorithms) {
  static_assert(std::input_iterator<channel<int>::iterator>);
  static_assert(std::sentinel_for<channel<int>::sentinel, channel<int>::iterator>);
  channel<int> ch(5);
  ch.put_all(std::array{1, 2, 3});
  ch.close();
  int sum = 0;
  std::ranges::for_each(ch.begin(), ch.end(), [&sum](int n) { sum += n; });
  EXPECT_EQ(sum, 6);
}

TEST(Fetch, CopiesTheOldestItemAndLeavesIt) {
  channel<std::vector<double>> ch(3);
  EXPECT_EQ(ch.try_fetch(), std::nullopt);
  ch.put({1, 2});
  ch.put({3});
  EXPECT_THAT(ch.fetch(), ElementsAre(1, 2));
  EXPECT_THAT(*ch.try_fetch(), ElementsAre(1, 2));
  EXPECT_THAT(*ch.fetch_for(1ms), ElementsAre(1, 2));
  EXPECT_EQ(ch.size(), 2U);
}

TEST(Fetch, WaitsForAnItemThatATakerCanStillTake) {
  channel<int> ch(1);
  std::thread fetcher([ch]() mutable { EXPECT_EQ(ch.fetch(), 5); });
  wait_until_waiting(ch, 1);
  std::thread taker([ch]() mutable { EXPECT_EQ(ch.take_for(10s), 5); });
  wait_until_waiting(ch, 2);
  ch.put(5);
  taker.join();
  ch.put_for(5, 1s);  // for the fetcher, if the taker was faster
  fetcher.join();
}

TEST(Fetch, FromARendezvousIsAnError) {
  channel<int> ch(0);
  EXPECT_THROW((void)ch.fetch(), invalid_argument);
  EXPECT_THROW((void)ch.try_fetch(), invalid_argument);
}

TEST(Peek, CopiesWhatIsInsideOldestFirst) {
  channel<std::map<int, std::string>> ch(3);
  EXPECT_THAT(ch.peek(), IsEmpty());
  ch.put({{1, "a"}});
  ch.put({{2, "b"}});
  (void)ch.take();
  ch.put({{3, "c"}});
  const auto inside = std::as_const(ch).peek();
  ASSERT_EQ(inside.size(), 2U);
  EXPECT_EQ(inside[0].at(2), "b");
  EXPECT_EQ(inside[1].at(3), "c");
  EXPECT_EQ(ch.size(), 2U);
}

TEST(Peek, WorksOnAClosedChannelAndOnARendezvous) {
  channel<int> ch(2);
  ch.put(1);
  ch.close();
  EXPECT_THAT(ch.peek(), ElementsAre(1));
  EXPECT_THAT(channel<int>(0).peek(), IsEmpty());
}

TEST(Peek, SeesOnlyWholeItemsWhileOthersPutAndTake) {
  channel<std::array<int, 200>> ch(3);
  std::jthread putter([ch](const std::stop_token& stop) mutable {
    std::array<int, 200> item{};
    for (int i = 0; !stop.stop_requested(); ++i) {
      item.fill(i);
      if (!ch.put_for(item, 10ms)) continue;
    }
  });
  std::jthread taker([ch](const std::stop_token& stop) mutable {
    while (!stop.stop_requested()) (void)ch.take_for(10ms);
  });
  for (int i = 0; i < 2000; ++i) {
    for (const auto& item : ch.peek()) ASSERT_EQ(item.front(), item.back());
    const auto oldest = ch.try_fetch();
    ASSERT_TRUE(!oldest || oldest->front() == oldest->back());
  }
}

}  // namespace
}  // namespace weir::tests
