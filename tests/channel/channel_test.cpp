// SPDX-License-Identifier: BSL-1.0
#include "weir/channel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "support/wait.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using testing::HasSubstr;

// Items that lie in a slot, in the two ways there are, and in a block, in the two ways there are; those of shorts lie in
// the slot or in a block, depending on the capacity.
template <class T>
T item(int n);
template <>
int item<int>(int n) {
  return n;
}
template <>
std::string item<std::string>(int n) {
  return std::to_string(n);
}
template <>
std::array<int, 200> item<std::array<int, 200>>(int n) {
  std::array<int, 200> all{};
  all.fill(n);
  return all;
}
template <>
std::vector<short> item<std::vector<short>>(int n) {
  return std::vector<short>(300, static_cast<short>(n));
}
template <>
std::vector<int> item<std::vector<int>>(int n) {
  return std::vector<int>(500, n);
}

template <class T>
class Capacity : public testing::Test {};
using ItemTypes = testing::Types<int, std::string, std::array<int, 200>, std::vector<short>, std::vector<int>>;
TYPED_TEST_SUITE(Capacity, ItemTypes);

TYPED_TEST(Capacity, IsExactlyHowManyPutsSucceedWithoutATaker) {
  for (const std::size_t capacity : {1U, 2U, 3U, 7U, 64U, 1000U}) {
    channel<TypeParam> ch(capacity);
    EXPECT_EQ(ch.capacity(), capacity);
    for (std::size_t i = 0; i < capacity; ++i) {
      EXPECT_FALSE(ch.is_full());
      ASSERT_TRUE(ch.try_put(item<TypeParam>(static_cast<int>(i)))) << i << " of " << capacity;
      EXPECT_EQ(ch.size(), i + 1);
    }
    EXPECT_TRUE(ch.is_full());
    EXPECT_FALSE(ch.try_put(item<TypeParam>(-1)));
    EXPECT_FALSE(ch.put_for(item<TypeParam>(-1), 1ms));
    for (std::size_t i = 0; i < capacity; ++i) ASSERT_EQ(ch.take(), item<TypeParam>(static_cast<int>(i)));
    EXPECT_EQ(ch.try_take(), std::nullopt);
    EXPECT_TRUE(ch.is_empty());
  }
}

TYPED_TEST(Capacity, IsExactAfterManyItemsHavePassed) {
  channel<TypeParam> ch(3);
  for (int i = 0; i < 1000; ++i) {
    ch.put(item<TypeParam>(i));
    ASSERT_EQ(ch.take(), item<TypeParam>(i));
  }
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ch.try_put(item<TypeParam>(i)));
  EXPECT_FALSE(ch.try_put(item<TypeParam>(3)));
}

TYPED_TEST(Capacity, OfZeroLetsNoPutSucceedWithoutATaker) {
  channel<TypeParam> ch(0);
  EXPECT_EQ(ch.capacity(), 0U);
  EXPECT_FALSE(ch.try_put(item<TypeParam>(1)));
  EXPECT_FALSE(ch.put_for(item<TypeParam>(1), 20ms));
  EXPECT_EQ(ch.size(), 0U);
  EXPECT_EQ(ch.try_take(), std::nullopt);
}

TYPED_TEST(Capacity, OfZeroHandsItemsOverInOrder) {
  channel<TypeParam> ch(0);
  constexpr int kItems = 200;
  std::atomic<int> taken{0};
  int early = 0;
  std::thread taker([&, ch]() mutable {
    for (int i = 0; i < kItems; ++i) {
      EXPECT_EQ(ch.take(), item<TypeParam>(i));
      ++taken;
    }
  });
  for (int i = 0; i < kItems; ++i) {
    ch.put(item<TypeParam>(i));
    if (taken.load() < i) ++early;  // put(i) may return before the count of i, not of i - 1
  }
  taker.join();
  EXPECT_EQ(early, 0);
}

TYPED_TEST(Capacity, AnyNumberOfPuttersAndTakersPassEachItemOnceAndInOrder) {
  constexpr int kEach = 500;
  constexpr int kThreads = 3;
  for (const std::size_t capacity : {0U, 1U, 3U, 64U}) {
    channel<TypeParam> ch(capacity);
    std::vector<std::thread> threads;
    for (int p = 0; p < kThreads; ++p) {
      threads.emplace_back([ch, p]() mutable {
        for (int i = 0; i < kEach; ++i) ch.put(item<TypeParam>(p * kEach + i));
      });
    }
    std::mutex mutex;
    std::map<TypeParam, int> times;
    std::map<TypeParam, int> number;
    for (int i = 0; i < kThreads * kEach; ++i) number[item<TypeParam>(i)] = i;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, ch]() mutable {
        std::array<int, kThreads> last{-1, -1, -1};
        for (int i = 0; i < kEach; ++i) {
          const TypeParam got = ch.take();
          const std::lock_guard lock(mutex);
          ++times[got];
          const int n = number.at(got);
          EXPECT_GT(n, last[static_cast<std::size_t>(n / kEach)]);
          last[static_cast<std::size_t>(n / kEach)] = n;
        }
      });
    }
    for (std::thread& t : threads) t.join();
    EXPECT_EQ(times.size(), static_cast<std::size_t>(kThreads * kEach));
    EXPECT_TRUE(ch.is_empty());
  }
}

// ------------------------------------------------------------------------------------------------------------ waiting

TEST(Waiting, APutWaitsUntilThereIsRoom) {
  channel<int> ch(1);
  ch.put(1);
  std::atomic<bool> done{false};
  std::thread putter([&, ch]() mutable {
    ch.put(2);
    done = true;
  });
  std::this_thread::sleep_for(30ms);
  EXPECT_FALSE(done);
  EXPECT_EQ(ch.take(), 1);
  putter.join();
  EXPECT_EQ(ch.take(), 2);
}

TEST(Waiting, ATakeWaitsUntilThereIsAnItem) {
  channel<std::string> ch(1);
  std::thread putter([ch]() mutable {
    std::this_thread::sleep_for(30ms);
    ch.put("late");
  });
  EXPECT_EQ(ch.take(), "late");
  putter.join();
}

TEST(Waiting, EndsNotBeforeTheTimeout) {
  channel<int> full(1);
  channel<int> empty(1);
  channel<int> rendezvous(0);
  full.put(1);
  const std::vector<std::function<bool()>> waits{
      [&] { return empty.take_for(100ms).has_value(); },
      [&] { return empty.take_until(clock::now() + 100ms).has_value(); },
      [&] { return empty.fetch_for(100ms).has_value(); },
      [&] { return empty.take_view_for(100ms).has_value(); },
      [&] { return full.put_for(2, 100ms); },
      [&] { return full.put_until(2, clock::now() + 100ms); },
      [&] { return rendezvous.put_for(2, 100ms); },
      [&] { return rendezvous.take_for(100ms).has_value(); },
      [&] { return empty.take_for(std::chrono::duration<double>(0.1)).has_value(); },
  };
  for (const auto& wait : waits) {
    const auto begin = clock::now();
    EXPECT_FALSE(wait());
    EXPECT_GE(clock::now() - begin, 100ms);
  }
  EXPECT_EQ(full.size(), 1U);
}

TEST(Waiting, UntilATimeOfTheSystemClockEndsNotBeforeIt) {
  channel<int> ch(1);
  const auto when = std::chrono::system_clock::now() + 120ms;
  EXPECT_FALSE(ch.take_until(when).has_value());
  EXPECT_GE(std::chrono::system_clock::now(), when);
  ch.put(1);
  EXPECT_FALSE(ch.put_until(2, std::chrono::system_clock::now() + 1ms));
  EXPECT_EQ(ch.take_until(std::chrono::system_clock::now() + 10s), 1);
}

// A clock that is set: from 1 s before the time to after it.
struct settable_clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<settable_clock>;
  [[maybe_unused]] static constexpr bool is_steady = false;
  static inline std::atomic<std::int64_t> ahead{0};
  static time_point now() {
    return time_point(clock::now().time_since_epoch() + std::chrono::nanoseconds(ahead.load()));
  }
};

TEST(Waiting, EndsWhenAClockIsSetToAfterTheTime) {
  channel<int> ch(1);
  const auto when = settable_clock::now() + 1h;
  std::thread setter([] {
    std::this_thread::sleep_for(60ms);
    settable_clock::ahead = std::chrono::nanoseconds(2h).count();
  });
  EXPECT_FALSE(ch.take_until(when).has_value());
  setter.join();
}

TEST(Waiting, ForNoTimeOrATimeThatHasPassedIsTrying) {
  channel<int> ch(1);
  EXPECT_FALSE(ch.take_for(0s).has_value());
  EXPECT_FALSE(ch.take_for(-1h).has_value());
  EXPECT_FALSE(ch.take_until(clock::now() - 1h).has_value());
  EXPECT_FALSE(ch.take_until(clock::time_point::min()).has_value());
  EXPECT_FALSE(ch.take_until(std::chrono::system_clock::time_point::min()).has_value());
  ch.put(1);
  EXPECT_EQ(ch.take_for(0s), 1);
}

TEST(Waiting, ForTheLongestTimesIsWaitingForEver) {
  channel<int> ch(4);
  const auto put_late = [ch]() mutable {
    std::this_thread::sleep_for(20ms);
    for (int i = 0; i < 4; ++i) ch.put(i);
  };
  std::thread putter(put_late);
  EXPECT_TRUE(ch.take_for(std::chrono::hours::max()).has_value());
  EXPECT_TRUE(ch.take_until(clock::time_point::max()).has_value());
  EXPECT_TRUE(ch.take_until(std::chrono::time_point<clock, std::chrono::hours>::max()).has_value());
  EXPECT_TRUE(ch.take_until(std::chrono::system_clock::time_point::max()).has_value());
  putter.join();
}

TEST(Waiting, EndsWhenStopIsRequestedAndTheNextItemGoesToTheNextTaker) {
  channel<int> ch(1);
  std::optional<int> got = 0;
  std::jthread taker([&got, ch](const std::stop_token& stop) mutable { got = ch.take(stop); });
  std::this_thread::sleep_for(20ms);
  taker.request_stop();
  taker.join();
  EXPECT_EQ(got, std::nullopt);
  ch.put(7);
  EXPECT_EQ(ch.size(), 1U);
  EXPECT_EQ(ch.take(), 7);
}

TEST(Waiting, DoesNotBeginAfterAStopRequest) {
  channel<int> ch(1);
  ch.put(1);
  std::stop_source source;
  EXPECT_EQ(ch.take(source.get_token()), 1);
  ch.put(2);
  source.request_stop();
  EXPECT_EQ(ch.take(source.get_token()), std::nullopt);
  EXPECT_EQ(ch.size(), 1U);
}

// ------------------------------------------------------------------------------------------------------------ closing

TYPED_TEST(Capacity, ClosingWakesAllWhoWaitAndNoneOfTheirItemsIsIn) {
  channel<TypeParam> ch(2);
  ch.put(item<TypeParam>(1));
  ch.put(item<TypeParam>(2));
  std::atomic<int> refused{0};
  std::vector<std::thread> putters;
  for (int i = 0; i < 3; ++i) {
    putters.emplace_back([&, ch]() mutable {
      try {
        ch.put(item<TypeParam>(9));
      } catch (const channel_closed&) {
        ++refused;
      }
    });
  }
  wait_until_waiting(ch, 3);
  ch.close();
  for (std::thread& t : putters) t.join();
  EXPECT_EQ(refused, 3);
  EXPECT_FALSE(ch.is_open());
  EXPECT_THROW(ch.put(item<TypeParam>(9)), channel_closed);
  EXPECT_THROW(ch.try_put(item<TypeParam>(9)), channel_closed);
  EXPECT_EQ(ch.take(), item<TypeParam>(1));
  EXPECT_EQ(ch.take(), item<TypeParam>(2));
  EXPECT_THROW(ch.take(), channel_closed);
  EXPECT_THROW((void)ch.try_take(), channel_closed);
  EXPECT_THROW((void)ch.take_for(1h), channel_closed);
  EXPECT_THROW((void)ch.fetch(), channel_closed);
}

TYPED_TEST(Capacity, ClosingAnEmptyChannelWakesAllWhoTake) {
  for (const std::size_t capacity : {0U, 2U}) {
    channel<TypeParam> ch(capacity);
    std::atomic<int> refused{0};
    std::vector<std::thread> takers;
    for (int i = 0; i < 3; ++i) {
      takers.emplace_back([&, ch]() mutable {
        try {
          (void)ch.take();
        } catch (const channel_closed&) {
          ++refused;
        }
      });
    }
    wait_until_waiting(ch, 3);
    ch.close();
    for (std::thread& t : takers) t.join();
    EXPECT_EQ(refused, 3);
  }
}

TEST(Closing, ARendezvousRefusesThePutThatWaits) {
  channel<int> ch(0);
  std::atomic<bool> refused{false};
  std::thread putter([&, ch]() mutable {
    try {
      ch.put(1);
    } catch (const channel_closed&) {
      refused = true;
    }
  });
  wait_until_waiting(ch, 1);
  ch.close();
  putter.join();
  EXPECT_TRUE(refused);
  EXPECT_THROW((void)ch.take(), channel_closed);
}

TEST(Closing, TellsTheReasonToAll) {
  channel<int> ch(1);
  ch.close("the source ran dry");
  ch.close("too late to matter");
  for (const std::function<void()>& use :
       std::vector<std::function<void()>>{[&] { ch.put(1); }, [&] { (void)ch.take(); }}) {
    try {
      use();
      ADD_FAILURE() << "not refused";
    } catch (const channel_closed& e) {
      EXPECT_EQ(e.reason(), "the source ran dry");
      EXPECT_THAT(e.what(), HasSubstr("the source ran dry"));
      EXPECT_THAT(e.what(), HasSubstr(ch.name()));
      EXPECT_EQ(e.code(), make_error_code(errc::channel_closed));
    }
  }
}

TEST(Closing, WhenAProcessThatIsThisOneHasGoneIsNotYet) {
  struct this_process {
    static process_id id() { return my_id(); }
  };
  channel<int> ch(1);
  ch.close_when_gone(this_process());
  EXPECT_TRUE(ch.is_open());
  ch.put(1);
  EXPECT_EQ(ch.take(), 1);
}

}  // namespace
}  // namespace weir::tests
