// SPDX-License-Identifier: BSL-1.0
// A process is killed at each point of a select: the others go on, every item is taken once, and none but the one that
// the victim was in the middle of may have gone with it.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "channel/channel_core.hpp"
#include "inspect/channel.hpp"
#include "support/crash.hpp"
#include "support/names.hpp"
#include "support/patience.hpp"
#include "support/wait.hpp"
#include "weir/channel.hpp"
#include "weir/select.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;
constexpr std::size_t kMost = 200;

/// What the victim had done when it died; lies in memory that both processes share.
struct victims_diary {
  std::atomic<std::size_t> returned;
  std::array<std::atomic<int>, kMost> items;
};

struct select_scenario {
  const char* point;
  int hit;
};

void PrintTo(const select_scenario& s, std::ostream* out) { *out << s.point << " hit " << s.hit; }

std::string name_of_select(const testing::TestParamInfo<select_scenario>& given) {
  std::string name = fmt::format("{}_{}", given.param.point, given.param.hit);
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

class SelectCrash : public NamedSegments, public testing::WithParamInterface<select_scenario> {
 protected:
  SelectCrash()
      : diary_(static_cast<victims_diary*>(
            ::mmap(nullptr, sizeof(victims_diary), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~SelectCrash() override { ::munmap(diary_, sizeof(victims_diary)); }

  void create(std::size_t capacity) {
    for (const char* word : {"a", "b"}) channels_.push_back(channel<int>::create(name(word), capacity));
  }
  [[nodiscard]] channel<int> open(const char* word) const { return channel<int>::open(name(word)); }
  void note(int item) const {
    diary_->items.at(diary_->returned.load()) = item;
    ++diary_->returned;
  }
  static void die_as_told() { die_at(GetParam().point, GetParam().hit); }
  /// Until the victim sleeps in its select, as it does when nothing comes, or has been killed: whoever finds something
  /// while it spins never comes by the points of those who have slept. Nobody else sleeps on these channels.
  void let_sleep(const child& victim) const {
    const auto sleepers = [](const channel<int>& each) {
      const detail::core_handle core = detail::attach(each.name(), detail::codec<int>::type());
      return channels::sleepers_of(core->header().not_empty.word.load()) +
             channels::sleepers_of(core->header().not_full.word.load());
    };
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (!victim.has_ended() && std::all_of(channels_.begin(), channels_.end(),
                                              [&](const channel<int>& each) { return sleepers(each) == 0; })) {
      ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "it never slept";
      std::this_thread::sleep_for(1ms);
    }
  }
  static void expect_killed(child& victim) {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (!victim.has_ended()) {
      ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "the point was never passed";
      std::this_thread::sleep_for(1ms);
    }
    const int status = victim.wait();
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the point was never passed: " << status;
  }
  [[nodiscard]] std::vector<int> noted() const {
    return {diary_->items.begin(), diary_->items.begin() + static_cast<std::ptrdiff_t>(diary_->returned.load())};
  }
  /// What is left inside, that of the dead included, taken by a select.
  void take_the_rest(std::vector<int>& into) {
    const auto add = [&](int item) { into.push_back(item); };
    while (select(on_take(channels_[0], add), on_take(channels_[1], add), on_timeout(400ms)) != 2) continue;
  }
  void expect_whole() {
    for (channel<int>& each : channels_) {
      const detail::core_handle core = detail::attach(each.name(), detail::codec<int>::type());
      core->look_for_the_dead(/*even_if_just_looked=*/true);
      EXPECT_EQ(inspect::describe_channel(each.name()).problems, std::vector<std::string>{});
      for (std::size_t i = 0; i < each.capacity(); ++i) EXPECT_TRUE(each.put_for(static_cast<int>(i), kWatchdog));
      EXPECT_FALSE(each.try_put(99));
      for (std::size_t i = 0; i < each.capacity(); ++i) EXPECT_EQ(each.take_for(kWatchdog), static_cast<int>(i));
    }
  }

  victims_diary* diary_;
  std::vector<channel<int>> channels_;
};

// ------------------------------------------------------------------------------------------------------- it was taking

using SelectingTakerKilled = SelectCrash;

TEST_P(SelectingTakerKilled, LeavesAllItemsToOthersButTheOneThatItHas) {
  create(2);
  child victim([&] {
    auto a = open("a");
    auto b = open("b");
    die_as_told();
    for (;;) {
      select(on_take(a, [&](int item) { note(item); }), on_take(b, [&](int item) { note(item); }));
    }
    return 0;
  });
  ASSERT_NO_FATAL_FAILURE(let_sleep(victim));
  int put = 0;
  while (!victim.has_ended() && put < static_cast<int>(kMost)) {
    const auto item = put;
    if (select(on_put(channels_[0], item), on_put(channels_[1], item), on_timeout(20ms)) != 2) ++put;
    if (put % 4 == 0) {
      ASSERT_NO_FATAL_FAILURE(let_sleep(victim));
    }
  }
  ASSERT_NO_FATAL_FAILURE(expect_killed(victim));
  std::vector<int> seen = noted();
  take_the_rest(seen);
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end()) << "an item was taken twice";
  const std::string point = GetParam().point;
  const bool may_have_one = point == "select.chosen" || point == "select.left" || point == "ring.take.released" ||
                            point == "waiter.leaving" || point == "waiter.left";
  EXPECT_GE(static_cast<int>(seen.size()), may_have_one ? put - 1 : put);
  EXPECT_LE(static_cast<int>(seen.size()), put);
  expect_whole();
}

INSTANTIATE_TEST_SUITE_P(AtEveryPoint, SelectingTakerKilled,
                         testing::Values(select_scenario{"select.entered", 1}, select_scenario{"select.entered", 2},
                                         select_scenario{"select.asleep", 1}, select_scenario{"select.asleep", 2},
                                         select_scenario{"select.asleep", 5}, select_scenario{"select.chosen", 1},
                                         select_scenario{"select.chosen", 3}, select_scenario{"select.left", 1},
                                         select_scenario{"select.left", 2}, select_scenario{"waiter.entered", 2},
                                         select_scenario{"waiter.counted", 1}, select_scenario{"waiter.counted", 2},
                                         select_scenario{"waiter.leaving", 1}, select_scenario{"waiter.leaving", 2},
                                         select_scenario{"waiter.left", 1}, select_scenario{"ring.take.claimed", 1},
                                         select_scenario{"ring.take.claimed", 9},
                                         select_scenario{"ring.take.advanced", 3},
                                         select_scenario{"ring.take.copied", 1},
                                         select_scenario{"ring.take.released", 4}),
                         name_of_select);

// ------------------------------------------------------------------------------------------------------ it was putting

using SelectingPutterKilled = SelectCrash;

TEST_P(SelectingPutterKilled, HasPutWhatItSaidAndAtMostOneItemMore) {
  create(1);
  child victim([&] {
    auto a = open("a");
    auto b = open("b");
    die_as_told();
    for (int i = 0;; ++i) {
      select(on_put(a, i), on_put(b, i));
      note(i);
    }
    return 0;
  });
  ASSERT_NO_FATAL_FAILURE(let_sleep(victim));
  std::vector<int> seen;
  while (!victim.has_ended() && seen.size() < kMost) {
    select(on_take(channels_[0], [&](int item) { seen.push_back(item); }),
           on_take(channels_[1], [&](int item) { seen.push_back(item); }), on_timeout(20ms));
    if (seen.size() % 4 == 0) {
      ASSERT_NO_FATAL_FAILURE(let_sleep(victim));
    }
  }
  ASSERT_NO_FATAL_FAILURE(expect_killed(victim));
  take_the_rest(seen);
  std::sort(seen.begin(), seen.end());
  ASSERT_GE(seen.size(), diary_->returned.load());
  ASSERT_LE(seen.size(), diary_->returned.load() + 1);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], static_cast<int>(i));
  expect_whole();
}

INSTANTIATE_TEST_SUITE_P(AtEveryPoint, SelectingPutterKilled,
                         testing::Values(select_scenario{"select.entered", 1}, select_scenario{"select.entered", 2},
                                         select_scenario{"select.asleep", 1}, select_scenario{"select.asleep", 3},
                                         select_scenario{"select.chosen", 1}, select_scenario{"select.left", 1},
                                         select_scenario{"select.left", 2}, select_scenario{"waiter.counted", 2},
                                         select_scenario{"waiter.left", 1}, select_scenario{"ring.put.claimed", 1},
                                         select_scenario{"ring.put.claimed", 7}, select_scenario{"ring.put.written", 3},
                                         select_scenario{"ring.put.published", 5}),
                         name_of_select);

// ---------------------------------------------------------------------------------------- it was putting to a rendezvous

using OfferingPutterKilled = SelectCrash;

TEST_P(OfferingPutterKilled, HasPutWhatItSaidAndAtMostOneItemMore) {
  create(0);
  child victim([&] {
    auto a = open("a");
    auto b = open("b");
    die_as_told();
    for (int i = 0;; ++i) {
      select(on_put(a, i), on_put(b, i));
      note(i);
    }
    return 0;
  });
  std::vector<int> seen;
  for (int round = 0; !victim.has_ended() && seen.size() < kMost; ++round) {
    if (round % 4 == 0) {
      ASSERT_NO_FATAL_FAILURE(let_sleep(victim));
    }
    if (round % 3 == 0) {
      if (const auto item = channels_[0].take_for(5ms)) seen.push_back(*item);
    } else {
      select(on_take(channels_[0], [&](int item) { seen.push_back(item); }),
             on_take(channels_[1], [&](int item) { seen.push_back(item); }), on_timeout(5ms));
    }
  }
  ASSERT_NO_FATAL_FAILURE(expect_killed(victim));
  take_the_rest(seen);
  ASSERT_GE(seen.size(), diary_->returned.load());
  ASSERT_LE(seen.size(), diary_->returned.load() + 1);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], static_cast<int>(i));
  expect_whole();
}

INSTANTIATE_TEST_SUITE_P(AtEveryPoint, OfferingPutterKilled,
                         testing::Values(select_scenario{"select.offered", 1}, select_scenario{"select.offered", 4},
                                         select_scenario{"select.asleep", 1}, select_scenario{"select.asleep", 4},
                                         select_scenario{"select.chosen", 1}, select_scenario{"select.chosen", 3},
                                         select_scenario{"select.left", 2}, select_scenario{"ring.put.claimed", 2},
                                         select_scenario{"ring.put.written", 1},
                                         select_scenario{"ring.put.published", 1},
                                         select_scenario{"event.epoch.advanced", 1}),
                         name_of_select);

using WithdrawingPutterKilled = SelectCrash;

TEST_P(WithdrawingPutterKilled, HasPutNothing) {
  create(0);
  // One that never comes for the item, so that it is withdrawn again.
  child stopped([&] {
    open("a").take();
    return 0;
  });
  wait_until_waiting(channels_[0], 1);
  ::kill(stopped.pid(), SIGSTOP);
  child victim([&] {
    auto a = open("a");
    auto b = open("b");
    die_as_told();
    select(on_put(a, 1), on_take(b, [](int) {}));
    return 0;
  });
  ASSERT_NO_FATAL_FAILURE(expect_killed(victim));
  EXPECT_EQ(channels_[0].try_take(), std::nullopt);
  std::thread takes([&] { EXPECT_EQ(channels_[0].take_for(kWatchdog), 7); });
  EXPECT_TRUE(channels_[0].put_for(7, kWatchdog));
  takes.join();
  expect_whole();
}

INSTANTIATE_TEST_SUITE_P(AtEveryPoint, WithdrawingPutterKilled,
                         testing::Values(select_scenario{"offer.withdrawn", 1}, select_scenario{"offer.withdrawn", 3},
                                         select_scenario{"select.withdrawn", 1},
                                         select_scenario{"select.withdrawn", 2}),
                         name_of_select);

// ------------------------------------------------------------------------------------------------------- who is left

using PartnerOfASelectKilled = SelectCrash;

TEST_P(PartnerOfASelectKilled, ASelectMeetsTheNextOne) {
  create(0);
  child victim([&] {
    auto a = open("a");
    auto b = open("b");
    die_as_told();
    for (;;) {
      int got = 0;
      select(on_take(a, got), on_put(b, -1));
    }
    return 0;
  });
  child next([&] {
    auto a = open("a");
    auto b = open("b");
    std::this_thread::sleep_for(100ms);
    for (;;) {
      int got = 0;
      select(on_take(a, got), on_put(b, -2));
    }
    return 0;
  });
  for (int round = 0; round < 50 || (!victim.has_ended() && round < 50'000); ++round) {
    ASSERT_NE(select(on_put(channels_[0], round), on_take(channels_[1], [](int) {}), on_timeout(kWatchdog)), 2U);
  }
  ASSERT_TRUE(victim.has_ended()) << "the point was never passed";
  ASSERT_NO_FATAL_FAILURE(expect_killed(victim));
}

INSTANTIATE_TEST_SUITE_P(AtEveryPoint, PartnerOfASelectKilled,
                         testing::Values(select_scenario{"select.entered", 1}, select_scenario{"select.entered", 2},
                                         select_scenario{"select.asleep", 1}, select_scenario{"select.offered", 1},
                                         select_scenario{"select.chosen", 2}, select_scenario{"select.left", 1},
                                         select_scenario{"waiter.counted", 1}, select_scenario{"waiter.counted", 2},
                                         select_scenario{"ring.take.claimed", 1}),
                         name_of_select);

}  // namespace
}  // namespace weir::tests
