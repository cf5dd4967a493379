// SPDX-License-Identifier: BSL-1.0
// A process is killed at each point of each operation on a channel; the others must neither lose, double nor tear an
// item, nor wait for the dead one, and the channel must be whole afterwards.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "channel/channel_core.hpp"
#include "inspect/channel.hpp"
#include "support/crash.hpp"
#include "weir/detail/channel_core.hpp"
#include "weir/error.hpp"

namespace weir::tests {
namespace {

using namespace weir::detail;

constexpr std::size_t kCapacity = 3;
constexpr int kItems = 40;
constexpr std::size_t kBlockItemBytes = 200'000;

/// What the victim had done when it died; lies in memory that both processes share.
struct victims_diary {
  std::atomic<int> puts_returned;
  std::atomic<int> takes_returned;
  std::array<std::atomic<int>, kItems> taken;
};

class shared_diary {
 public:
  shared_diary()
      : at_(static_cast<victims_diary*>(
            ::mmap(nullptr, sizeof(victims_diary), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  shared_diary(const shared_diary&) = delete;
  shared_diary& operator=(const shared_diary&) = delete;
  ~shared_diary() { ::munmap(at_, sizeof(victims_diary)); }
  victims_diary* operator->() const { return at_; }

 private:
  victims_diary* at_;
};

/// In a slot by the general way, in a slot by the way compiled into the program (fast_path), in a block.
enum class payload_place { slot, fixed, block };

std::string_view text_of(payload_place place) {
  return place == payload_place::slot ? "slot" : place == payload_place::fixed ? "fixed" : "block";
}

struct scenario {
  std::string point;
  int hit;
  payload_place place;
};

void PrintTo(const scenario& s, std::ostream* out) { *out << s.point << " hit " << s.hit << ' ' << text_of(s.place); }

std::string name_of(const testing::TestParamInfo<scenario>& info) {
  std::string name = fmt::format("{}_{}_{}", info.param.point, info.param.hit, text_of(info.param.place));
  for (char& c : name) c = c == '.' || c == ' ' ? '_' : c;
  return name;
}

class ChannelCrash : public testing::TestWithParam<scenario> {
 protected:
  ChannelCrash() : name_(fmt::format("crash-test.{}", ::getpid())) {}
  void SetUp() override {
    forget();
    channel_ = create_named(name_, type(), kCapacity, {});
  }
  void TearDown() override {
    channel_.reset();
    forget();
  }
  void forget() const {
    try {
      remove_named(name_);
    } catch (const not_found&) {
      return;
    }
  }

  static item_type type() {
    if (fixed()) return {"crash_int", 8, item_kind::bytes, sizeof(int), 0, {}};
    return {"crash_item", 7, item_kind::sequence, 0, sizeof(int), "int"};
  }
  static bool fixed() { return GetParam().place == payload_place::fixed; }
  static bool in_block() { return GetParam().place == payload_place::block; }

  /// Item `number`: an int, repeated over the whole of a large item, so that a torn one shows.
  static bool put_item(channel_core& channel, int number, deadline until) {
    if (fixed())
      return channel.fast_path::put_fixed(&number, sizeof number) || put_fixed(channel, &number, sizeof number, until);
    const std::vector<int> values(in_block() ? kBlockItemBytes / sizeof(int) : 2, number);
    const std::span<const std::byte> part = std::as_bytes(std::span(values));
    return detail::put(channel, payload{{&part, 1}, false}, until);
  }
  static int number_in(std::span<const std::byte> bytes) {
    std::vector<int> values(bytes.size() / sizeof(int));
    if (values.empty()) return -1;
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(int));
    for (const int value : values) {
      if (value != values.front()) return -2;  // torn
    }
    return values.front();
  }
  /// -1: empty at the deadline.
  static int take_item(const core_handle& channel, deadline until, hold how = hold::copy) {
    if (int number = -1; fixed() && how == hold::copy) {
      if (channel->fast_path::take_fixed(&number, sizeof number)) return number;
      return take_fixed(*channel, &number, sizeof number, until) == take_status::taken ? number : -1;
    }
    taken_item item;
    return take(channel, item, until, how) == take_status::taken ? number_in(item.bytes()) : -1;
  }

  /// After all is over: as good as new.
  void expect_whole() {
    while (take_item(channel_, deadline::at_once()) >= 0) continue;
    EXPECT_EQ(size(*channel_), 0U);
    channel_->look_for_the_dead(/*even_if_just_looked=*/true);
    EXPECT_EQ(inspect::describe_channel(name_).problems, std::vector<std::string>{});
    for (std::size_t i = 0; i < kCapacity; ++i) {
      EXPECT_TRUE(put_item(*channel_, static_cast<int>(i), deadline::after(kWatchdog))) << "put " << i;
    }
    EXPECT_FALSE(put_item(*channel_, 99, deadline::at_once()));
    EXPECT_EQ(size(*channel_), kCapacity);
    for (std::size_t i = 0; i < kCapacity; ++i) {
      EXPECT_EQ(take_item(channel_, deadline::after(kWatchdog)), static_cast<int>(i));
    }
  }

  std::string name_;
  core_handle channel_;
};

// ------------------------------------------------------------------------------------------------ the putter is killed

using PutterKilled = ChannelCrash;

TEST_P(PutterKilled, EveryPutThatReturnedIsTakenOnceAndTheRestOfTheChannelGoesOn) {
  const shared_diary diary;
  child victim([&] {
    const core_handle own = open_named(name_, type());
    die_at(GetParam().point, GetParam().hit);
    for (int i = 0; i < kItems; ++i) {
      put_item(*own, i, deadline::never());
      diary->puts_returned = i + 1;
    }
    return 0;
  });
  if (GetParam().point.starts_with("waiter."))
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // until it waits
  std::vector<int> taken;
  for (;;) {
    const int item = take_item(channel_, deadline::after(std::chrono::milliseconds(50)));
    if (item >= 0) {
      taken.push_back(item);
    } else if (victim.has_ended()) {
      break;
    }
  }
  const int status = victim.wait();
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the point was never passed: status " << status;
  // Nobody is dead to a taker until somebody looked: its item may come that much later.
  for (int item = 0; (item = take_item(channel_, deadline::after(std::chrono::milliseconds(300)))) >= 0;)
    taken.push_back(item);

  const auto returned = static_cast<std::size_t>(diary->puts_returned.load());
  ASSERT_GE(taken.size(), returned);
  ASSERT_LE(taken.size(), returned + 1);  // the one being put has wholly happened, or not at all
  for (std::size_t i = 0; i < taken.size(); ++i) EXPECT_EQ(taken[i], static_cast<int>(i));
  expect_whole();
}

std::vector<scenario> put_scenarios() {
  std::vector<scenario> all;
  for (const payload_place place : {payload_place::slot, payload_place::fixed, payload_place::block}) {
    for (const int hit : {1, 2, 5, 17}) {
      for (const char* point : {"ring.put.claimed", "ring.put.advanced", "ring.put.written", "ring.put.published"}) {
        all.push_back({point, hit, place});
      }
    }
    // What only a putter that waits comes by.
    for (const char* point : {"waiter.entered", "waiter.counted", "waiter.ready", "waiter.leaving", "waiter.left",
                              "event.epoch.advanced"}) {
      all.push_back({point, 1, place});
    }
  }
  for (const int hit : {1, 3, 9}) {
    for (const char* point : {"block.claimed", "block.filled"}) all.push_back({point, hit, payload_place::block});
  }
  all.push_back({"block.reserved", 1, payload_place::block});
  all.push_back({"block.reserved", 2, payload_place::block});
  return all;
}
INSTANTIATE_TEST_SUITE_P(AtEveryPoint, PutterKilled, testing::ValuesIn(put_scenarios()), name_of);

// ------------------------------------------------------------------------------------------------- the taker is killed

using TakerKilled = ChannelCrash;

/// Points from which on the item is out: the victim has it, though its take has not returned.
bool item_is_out_after(const std::string& point) {
  return point == "ring.take.released" || point == "event.epoch.advanced" || point == "waiter.leaving" ||
         point == "waiter.left";
}

TEST_P(TakerKilled, WhatItWasTakingGoesToAnother) {
  const shared_diary diary;
  child victim([&] {
    const core_handle own = open_named(name_, type());
    die_at(GetParam().point, GetParam().hit);
    for (int i = 0; i < kItems; ++i) {
      const int item = take_item(own, deadline::never());
      diary->taken[static_cast<std::size_t>(i)] = item;
      diary->takes_returned = i + 1;
    }
    return 0;
  });
  int put = 0;
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // so that it comes to wait
  while (!victim.has_ended()) {
    if (put_item(*channel_, put, deadline::after(std::chrono::milliseconds(20)))) ++put;
  }
  const int status = victim.wait();
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the point was never passed: status " << status;

  std::vector<int> seen;
  for (int i = 0; i < diary->takes_returned; ++i) seen.push_back(diary->taken[static_cast<std::size_t>(i)]);
  for (int item = 0; (item = take_item(channel_, deadline::after(std::chrono::milliseconds(400)))) >= 0;)
    seen.push_back(item);
  if (static_cast<int>(seen.size()) + 1 == put && item_is_out_after(GetParam().point))
    seen.push_back(diary->takes_returned);
  // What the victim had comes when the victim is known to be dead, perhaps after later items.
  std::sort(seen.begin(), seen.end());
  ASSERT_EQ(static_cast<int>(seen.size()), put);
  for (int i = 0; i < put; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], i);
  expect_whole();
}

std::vector<scenario> take_scenarios() {
  std::vector<scenario> all;
  for (const payload_place place : {payload_place::slot, payload_place::fixed, payload_place::block}) {
    for (const int hit : {1, 2, 5, 17}) {
      for (const char* point : {"ring.take.claimed", "ring.take.advanced", "ring.take.copied", "ring.take.released"}) {
        all.push_back({point, hit, place});
      }
    }
    for (const char* point : {"waiter.entered", "waiter.counted", "waiter.ready", "waiter.leaving", "waiter.left"})
      all.push_back({point, 1, place});
  }
  for (const int hit : {1, 3, 9}) {
    for (const char* point : {"block.taken", "block.release"}) all.push_back({point, hit, payload_place::block});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(AtEveryPoint, TakerKilled, testing::ValuesIn(take_scenarios()), name_of);

// ------------------------------------------------------------------------------------------------ the viewer is killed

using ViewerKilled = ChannelCrash;

TEST_P(ViewerKilled, WhatItWasViewingGoesToAnother) {
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(put_item(*channel_, i, deadline::at_once()));
  child victim([&] {
    const core_handle own = open_named(name_, type());
    die_at(GetParam().point, GetParam().hit);
    taken_item view;
    take(own, view, deadline::never(), hold::view);
    ::raise(SIGKILL);  // in the midst of looking at it, if not before
    return 0;
  });
  const int status = victim.wait();
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  std::vector<int> seen;
  for (int item = 0; (item = take_item(channel_, deadline::after(std::chrono::milliseconds(400)))) >= 0;)
    seen.push_back(item);
  // The second may come first: it is ready at once, the first only when the viewer is known to be dead.
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, (std::vector<int>{0, 1}));
  expect_whole();
}

std::vector<scenario> view_scenarios() {
  std::vector<scenario> all;
  for (const char* point : {"ring.take.claimed", "block.claimed", "view.copied", "view.taken", "ring.take.copied",
                            "ring.take.released", "while viewing"}) {
    all.push_back({point, 1, payload_place::slot});
  }
  for (const char* point :
       {"ring.take.claimed", "block.taken", "ring.take.copied", "ring.take.released", "while viewing"}) {
    all.push_back({point, 1, payload_place::block});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(AtEveryPoint, ViewerKilled, testing::ValuesIn(view_scenarios()), name_of);

// --------------------------------------------------------------------------------------------- the recoverer is killed

using RecovererKilled = ChannelCrash;

TEST_P(RecovererKilled, AnotherFinishesTheRecovery) {
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(put_item(*channel_, i, deadline::at_once()));
  // One dies taking the first item, one viewing the second, one putting a third: something of everything to undo.
  child taker([&] {
    const core_handle own = open_named(name_, type());
    die_at(in_block() ? "block.taken" : "ring.take.advanced");
    take_item(own, deadline::never());
    return 0;
  });
  taker.wait();
  child viewer([&] {
    const core_handle own = open_named(name_, type());
    taken_item view;
    take(own, view, deadline::at_once(), hold::view);
    ::raise(SIGKILL);
    return 0;
  });
  viewer.wait();
  child putter([&] {
    const core_handle own = open_named(name_, type());
    die_at("ring.put.advanced");
    put_item(*own, 2, deadline::at_once());
    return 0;
  });
  putter.wait();
  const shared_diary diary;
  child recoverer([&] {
    const core_handle own = open_named(name_, type());
    die_at(GetParam().point, GetParam().hit);
    for (;;) {
      const int item = take_item(own, deadline::after(std::chrono::milliseconds(300)), hold::view);
      if (item >= 0) diary->taken[static_cast<std::size_t>(diary->takes_returned++)] = item;
    }
    return 0;
  });
  const int status = recoverer.wait();
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  std::vector<int> seen;
  for (int i = 0; i < diary->takes_returned; ++i) seen.push_back(diary->taken[static_cast<std::size_t>(i)]);
  for (int item = 0; (item = take_item(channel_, deadline::after(std::chrono::milliseconds(500)))) >= 0;)
    seen.push_back(item);
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, (std::vector<int>{0, 1}));
  expect_whole();
}

using RecovererKilledInAGap = ChannelCrash;

TEST_P(RecovererKilledInAGap, TheCapacityIsWholeAgainThoughNobodyHasTakenYet) {
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(put_item(*channel_, i, deadline::at_once()));
  child putter([&] {
    const core_handle own = open_named(name_, type());
    die_at("ring.put.written");
    put_item(*own, 99, deadline::at_once());
    return 0;
  });
  putter.wait();
  child recoverer([&] {
    const core_handle own = open_named(name_, type());
    die_at(GetParam().point, GetParam().hit);
    for (;;) put_item(*own, 2, deadline::after(std::chrono::milliseconds(300)));
    return 0;
  });
  const int status = recoverer.wait();
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  EXPECT_TRUE(put_item(*channel_, 2, deadline::after(kWatchdog)));
  EXPECT_FALSE(put_item(*channel_, 3, deadline::at_once()));
  EXPECT_EQ(size(*channel_), kCapacity);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(take_item(channel_, deadline::at_once()), i);
  expect_whole();
}

std::vector<scenario> gap_scenarios() {
  std::vector<scenario> all;
  for (const payload_place place : {payload_place::slot, payload_place::fixed, payload_place::block}) {
    for (const int hit : {1, 2}) {
      for (const char* point :
           {"recovery.gap.moving", "recovery.gap.writing", "recovery.gap.moved", "recovery.gap.closed"}) {
        all.push_back({point, hit, place});
      }
    }
    all.push_back({"recovery.gaps", 1, place});
    all.push_back({"recovery.slots", 1, place});
    all.push_back({"ring.blank.skipped", 1, place});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(AtEveryPoint, RecovererKilledInAGap, testing::ValuesIn(gap_scenarios()), name_of);

std::vector<scenario> recovery_scenarios() {
  std::vector<scenario> all;
  for (const payload_place place : {payload_place::slot, payload_place::fixed, payload_place::block}) {
    for (const int hit : {1, 2, 3}) {
      for (const char* point :
           {"recovery.begin", "recovery.slots", "recovery.blocks", "recovery.counted", "recovery.end"}) {
        all.push_back({point, hit, place});
      }
    }
    for (const char* point : {"recovery.slot", "recovery.slot.block", "recovery.block", "orphan.block.taken",
                              "orphan.slot.taken", "ring.blank.skipped"}) {
      all.push_back({point, 1, place});
    }
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(AtEveryPoint, RecovererKilled, testing::ValuesIn(recovery_scenarios()), name_of);

}  // namespace
}  // namespace weir::tests
