// SPDX-License-Identifier: BSL-1.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <optional>
#include <ranges>
#include <string>
#include <thread>
#include <vector>

#include "segment/segment.hpp"
#include "support/wait.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

using vectors = channel<std::vector<double>>;

static_assert(std::ranges::contiguous_range<vectors::loan_type> && std::ranges::contiguous_range<vectors::view_type>);
static_assert(std::convertible_to<vectors::loan_type&, std::span<double>>);
static_assert(std::convertible_to<vectors::view_type&, std::span<const double>>);
static_assert(!std::copyable<vectors::loan_type> && std::movable<vectors::loan_type>);
static_assert(!std::copyable<vectors::view_type> && std::movable<vectors::view_type>);
static_assert(detail::viewable<int> && !detail::loanable<int>);
static_assert(!detail::viewable<std::vector<std::string>> && !detail::loanable<std::vector<std::string>>);

TEST(Loan, IsWrittenInPlaceAndPut) {
  vectors ch(2);
  vectors::loan_type room = ch.loan(1000);
  ASSERT_EQ(room.size(), 1000U);
  std::iota(room.begin(), room.end(), 0.0);
  room[1] = 7;
  ch.put(std::move(room));
  const std::vector<double> item = ch.take();
  ASSERT_EQ(item.size(), 1000U);
  EXPECT_EQ(item[1], 7);
  EXPECT_EQ(item[999], 999);
}

TEST(Loan, CanBePutWithFewerElements) {
  vectors ch(2);
  auto room = ch.loan(10);
  std::ranges::fill(room, 3.0);
  room.resize(2);
  EXPECT_EQ(room.capacity(), 10U);
  ch.put(std::move(room));
  EXPECT_THAT(ch.take(), ElementsAre(3, 3));
}

TEST(Loan, CanGrowUpToWhatWasAskedFor) {
  vectors ch(2);
  auto room = ch.loan(3);
  room.resize(0);
  EXPECT_TRUE(room.empty());
  room.resize(3);
  EXPECT_THROW(room.resize(4), invalid_argument);
  EXPECT_EQ(room.size(), 3U);
}

TEST(Loan, OfNothingIsAnEmptyItem) {
  channel<std::string> ch(2);
  ch.put(ch.loan(0));
  EXPECT_EQ(ch.take(), "");
}

TEST(Loan, IsUnchangedIfItCannotBePut) {
  vectors ch(1);
  ch.put({1});
  auto room = ch.loan(2);
  room[0] = 5;
  room[1] = 6;
  EXPECT_FALSE(ch.try_put(std::move(room)));
  EXPECT_FALSE(ch.put_for(std::move(room), 1ms));
  EXPECT_THAT(room, ElementsAre(5, 6));
  (void)ch.take();
  EXPECT_TRUE(ch.try_put(std::move(room)));
  EXPECT_THAT(ch.take(), ElementsAre(5, 6));
}

TEST(Loan, OfAnotherChannelOrAlreadyPutIsRefused) {
  vectors ch(2);
  vectors other(2);
  auto room = ch.loan(1);
  EXPECT_THROW(other.put(std::move(room)), invalid_argument);
  ch.put(std::move(room));
  EXPECT_THROW(ch.put(std::move(room)), invalid_argument);
  EXPECT_EQ(ch.size(), 1U);
}

TEST(Loan, GivenUpLeavesTheChannelAsItWas) {
  vectors ch(1);
  for (int i = 0; i < 1000; ++i) (void)ch.loan(100);
  EXPECT_TRUE(ch.is_empty());
  EXPECT_TRUE(ch.try_put({1}));
}

TEST(Loan, OfMoreThanAnItemMayHaveIsRefused) {
  vectors ch(1, {.max_item_bytes = 4096});
  EXPECT_THROW((void)ch.loan(4096 / sizeof(double) + 1), item_too_large);
  EXPECT_THROW((void)ch.loan(SIZE_MAX), item_too_large);
  EXPECT_EQ(ch.loan(4096 / sizeof(double)).size(), 512U);
}

TEST(Loan, FromAClosedChannelIsRefused) {
  vectors ch(1);
  auto room = ch.loan(1);
  ch.close();
  EXPECT_THROW((void)ch.loan(1), channel_closed);
  EXPECT_THROW(ch.put(std::move(room)), channel_closed);
}

TEST(View, ReadsASequenceInPlace) {
  vectors ch(2);
  ch.put(std::vector<double>(1000, 2.5));
  const vectors::view_type view = ch.take_view();
  EXPECT_EQ(view.size(), 1000U);
  EXPECT_EQ(view[999], 2.5);
  EXPECT_EQ(std::accumulate(view.begin(), view.end(), 0.0), 2500);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(view.data()) % alignof(double), 0U);
}

TEST(View, ReadsSmallSequencesToo) {
  channel<std::string> ch(2);
  ch.put("small");
  ch.put("");
  const auto small = ch.take_view();
  EXPECT_EQ(std::string_view(small.data(), small.size()), "small");
  EXPECT_TRUE(ch.take_view().empty());
}

TEST(View, ReadsAValueInPlace) {
  struct sample {
    int n;
    std::array<double, 100> values;
  };
  channel<sample> ch(2);
  ch.put({4, {}});
  const auto view = ch.take_view();
  EXPECT_EQ(view->n, 4);
  EXPECT_EQ((*view).values[99], 0);

  channel<int> numbers(2);
  numbers.put(9);
  EXPECT_EQ(*numbers.take_view(), 9);
}

TEST(View, MakesRoomForTheNextItemAtOnce) {
  vectors ch(1);
  ch.put({1});
  const auto view = ch.take_view();
  EXPECT_TRUE(ch.try_put({2}));
  EXPECT_THAT(view, ElementsAre(1));
  EXPECT_THAT(ch.take(), ElementsAre(2));
}

TEST(View, CanBeTriedAndTimed) {
  vectors ch(1);
  EXPECT_FALSE(ch.try_take_view());
  EXPECT_FALSE(ch.take_view_for(1ms));
  ch.put({1, 2});
  const auto view = ch.try_take_view();
  ASSERT_TRUE(view);
  EXPECT_THAT(*view, ElementsAre(1, 2));
  ch.close();
  EXPECT_THROW((void)ch.take_view(), channel_closed);
}

TEST(View, HoldsOnWhileItIsMoved) {
  vectors ch(1);
  for (const std::size_t length : {10U, 1000U}) {  // in a slot, in a block
    ch.put(std::vector<double>(length, 1.5));
    auto first = ch.take_view();
    auto second = std::move(first);
    ch.put(std::vector<double>(length, 7));
    EXPECT_EQ(second[length - 1], 1.5);
    EXPECT_EQ(ch.take().back(), 7);
  }
}

TEST(View, KeepsTheChannelWhenTheLastHandleGoes) {
  for (const std::size_t length : {10U, 1000U}) {  // in a slot, in a block
    std::optional<vectors::view_type> view;
    std::string name;
    {
      vectors ch(1);
      name = ch.name();
      ch.put(std::vector<double>(length, 1.5));
      view = ch.take_view();
    }
    EXPECT_EQ((*view)[length - 1], 1.5);
    EXPECT_EQ(shm::list_segments(name).size(), 1U);
    view.reset();
    EXPECT_EQ(shm::list_segments(name).size(), 0U);
  }
}

TEST(View, MayGoAtTheVeryMomentWhenTheLastHandleGoes) {
  constexpr int kRounds = 2000;
  std::optional<vectors> handle;
  std::optional<vectors::view_type> view;
  std::atomic<int> begun{0}, ended{0};
  std::vector<std::string> names;
  std::thread other([&] {
    for (int round = 1; round <= kRounds; ++round) {
      while (begun.load() < round) continue;
      view.reset();
      ended.store(round);
    }
  });
  for (int round = 1; round <= kRounds; ++round) {
    handle.emplace(1U);
    names.push_back(handle->name());
    handle->put({1, 2, 3});
    view = handle->take_view();
    begun.store(round);
    handle.reset();
    while (ended.load() < round) continue;
  }
  other.join();
  {
    vectors last(1);  // the next to go takes those along that were overlooked
    last.put({1});
    EXPECT_EQ(last.take_view()[0], 1);
  }
  for (const std::string& name : names) ASSERT_EQ(shm::list_segments(name).size(), 0U);
}

TEST(View, CanBePutIntoAnotherChannel) {
  vectors from(2), to(2);
  from.put({1, 2, 3});
  {
    const vectors::view_type view = from.take_view();
    to.put(view);
    EXPECT_TRUE(to.try_put(view));
    EXPECT_FALSE(to.try_put(view));
  }
  EXPECT_THAT(to.take(), ElementsAre(1, 2, 3));
  EXPECT_THAT(to.take(), ElementsAre(1, 2, 3));
}

TEST(View, OfAStringCanBePutToo) {
  channel<std::string> from(1), to(1);
  from.put("forwarded");
  to.put(from.take_view());
  EXPECT_EQ(to.take(), "forwarded");
}

TEST(InPlace, ThousandsOfItemsPassWhileViewsAreHeld) {
  vectors ch(4);
  constexpr int kItems = 2000;
  std::thread putter([ch]() mutable {
    for (int i = 0; i < kItems; ++i) {
      auto room = ch.loan(64);
      std::ranges::fill(room, i);
      ch.put(std::move(room));
    }
    ch.close();
  });
  std::vector<vectors::view_type> held;
  int next = 0;
  try {
    for (;; ++next) {
      held.push_back(ch.take_view());
      EXPECT_EQ(held.back()[63], next);
      if (held.size() > 10) {
        for (std::size_t i = 0; i < held.size(); ++i) {
          EXPECT_EQ(held[i][0], next - static_cast<int>(held.size() - 1 - i));
        }
        held.clear();
      }
    }
  } catch (const channel_closed&) {
    EXPECT_EQ(next, kItems);
  }
  putter.join();
}

TEST(TakeInto, ReusesTheStorageOfAVector) {
  vectors ch(2);
  ch.put(std::vector<double>(500, 1));
  ch.put(std::vector<double>(400, 2));
  std::vector<double> into;
  ch.take_into(into);
  EXPECT_EQ(into.size(), 500U);
  const double* const storage = into.data();
  ch.take_into(into);
  EXPECT_EQ(into.size(), 400U);
  EXPECT_EQ(into[399], 2);
  EXPECT_EQ(into.data(), storage);
}

TEST(TakeInto, TakesAnyKindOfItem) {
  channel<int> numbers(1);
  numbers.put(3);
  int number = 0;
  numbers.take_into(number);
  EXPECT_EQ(number, 3);
  channel<std::pair<std::string, int>> pairs(1);
  pairs.put({"a", 1});
  std::pair<std::string, int> pair;
  pairs.take_into(pair);
  EXPECT_EQ(pair.first, "a");
}

}  // namespace
}  // namespace weir::tests
