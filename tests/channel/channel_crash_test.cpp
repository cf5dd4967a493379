// SPDX-License-Identifier: BSL-1.0
// A process is killed at each point of each operation on a channel; the others must neither lose, double nor tear an
// item, nor wait for the dead one, and the channel must be whole afterwards.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "crash_fixture.hpp"

namespace weir::tests {
namespace {

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
  for (const payload_place place : kPlaces) {
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
  for (const payload_place place : kPlaces) {
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
    held_item piece;
    taken_item view;
    if (!hold_fast(own, piece)) take(own, view, deadline::at_once(), hold::view);
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
  for (const payload_place place : kPlaces) {
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
  for (const payload_place place : kPlaces) {
    for (const int hit : {1, 2, 3}) {
      for (const char* point :
           {"recovery.begin", "recovery.slots", "recovery.blocks", "recovery.counted", "recovery.end"}) {
        all.push_back({point, hit, place});
      }
    }
    for (const char* point : {"recovery.slot", "recovery.slot.block", "orphan.slot.taken", "ring.blank.skipped"}) {
      all.push_back({point, 1, place});
    }
    if (place == payload_place::fixed || place == payload_place::block) {
      all.push_back({"recovery.block", 1, place});
      all.push_back({"orphan.block.taken", 1, place});
    }
    if (place == payload_place::slot || place == payload_place::piece) {
      all.push_back({"recovery.viewing", 1, place});
      all.push_back({"recovery.view", 1, place});
    }
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(AtEveryPoint, RecovererKilled, testing::ValuesIn(recovery_scenarios()), name_of);

}  // namespace
}  // namespace weir::tests
