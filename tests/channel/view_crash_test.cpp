// SPDX-License-Identifier: BSL-1.0
// Processes that are killed while they read an item in place, and while others need its slot.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "crash_fixture.hpp"

namespace weir::tests {
namespace {

constexpr std::chrono::milliseconds kLongEnough{400};

// ------------------------------------------------------------------------------------------------ the viewer is killed

using ViewerKilled = ChannelCrash;

TEST_P(ViewerKilled, WhatItWasViewingGoesToAnother) {
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(put_item(*channel_, i, deadline::at_once()));
  child victim([&] {
    const core_handle own = open_named(name_, type());
    die_at(GetParam().point, GetParam().hit);
    {
      held_item piece;
      taken_item view;
      if (!hold_fast(own, piece)) take(own, view, deadline::never(), hold::view);
      // In the midst of looking at it, if not before, nor when it is done with it.
      if (!GetParam().point.starts_with("view.ended")) ::raise(SIGKILL);
    }
    return 0;
  });
  expect_killed(victim);
  // The second may come first: it is ready at once, the first only when the viewer is known to be dead.
  EXPECT_EQ(take_the_rest(kLongEnough), (std::vector<int>{0, 1}));
  expect_whole();
}

std::vector<scenario> view_scenarios() {
  std::vector<scenario> all;
  for (const payload_place place : {payload_place::slot, payload_place::piece}) {
    for (const char* point : {"ring.take.claimed", "ring.take.advanced", "view.marked", "ring.take.viewing",
                              "while viewing", "view.ended"}) {
      all.push_back({point, 1, place});
    }
  }
  for (const char* point : {"ring.take.claimed", "block.claimed", "view.copied", "view.taken", "ring.take.copied",
                            "ring.take.released", "while viewing"}) {
    all.push_back({point, 1, payload_place::fixed});
  }
  for (const char* point :
       {"ring.take.claimed", "block.taken", "ring.take.copied", "ring.take.released", "while viewing"}) {
    all.push_back({point, 1, payload_place::block});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(AtEveryPoint, ViewerKilled, testing::ValuesIn(view_scenarios()), name_of);

/// Its slot has been used again, several times, when it dies.
using SlowViewerKilled = ChannelCrash;

TEST_P(SlowViewerKilled, WhatItWasViewingIsNotOverwrittenAndGoesToAnother) {
  ASSERT_TRUE(put_item(*channel_, 0, deadline::at_once()));
  const shared_diary diary;
  child victim([&] {
    const core_handle own = open_named(name_, type());
    held_item piece;
    taken_item view;
    if (!hold_fast(own, piece)) take(own, view, deadline::never(), hold::view);
    diary->takes_returned = 1;
    while (diary->puts_returned == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    diary->taken[0] = number_in(piece ? piece.bytes() : view.bytes());
    ::raise(SIGKILL);
    return 0;
  });
  while (diary->takes_returned == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  int next = 1;
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < kCapacity; ++i, ++next) ASSERT_TRUE(put_item(*channel_, next, deadline::at_once()));
    EXPECT_FALSE(put_item(*channel_, next, deadline::at_once()));
    EXPECT_EQ(size(*channel_), kCapacity);
    for (int i = next - static_cast<int>(kCapacity); i < next; ++i) {
      ASSERT_EQ(take_item(channel_, deadline::at_once(), round == 1 ? hold::view : hold::copy), i);
    }
  }
  for (int i = 0; i < 2; ++i, ++next) ASSERT_TRUE(put_item(*channel_, next, deadline::at_once()));
  diary->puts_returned = 1;
  victim.wait();
  EXPECT_EQ(diary->taken[0], 0);
  channel_->look_for_the_dead(/*even_if_just_looked=*/true);
  EXPECT_EQ(inspect::describe_channel(name_).problems, std::vector<std::string>{});
  EXPECT_EQ(size(*channel_), kCapacity);  // the two, and the orphan
  EXPECT_EQ(peek(*channel_).size(), 3U);
  item_copy first;
  ASSERT_EQ(fetch(*channel_, first, deadline::at_once()), take_status::taken);
  EXPECT_EQ(number_in(first.bytes), 0);
  for (const int item : {0, next - 2, next - 1}) EXPECT_EQ(take_item(channel_, deadline::at_once()), item);
  expect_whole();
}
INSTANTIATE_TEST_SUITE_P(Always, SlowViewerKilled,
                         testing::Values(scenario{"slow", 1, payload_place::slot},
                                         scenario{"slow", 1, payload_place::piece},
                                         scenario{"slow", 1, payload_place::fixed},
                                         scenario{"slow", 1, payload_place::block}),
                         name_of);

/// Who finds the slow viewer dead dies as well.
using RecovererOfASlowViewerKilled = ChannelCrash;

TEST_P(RecovererOfASlowViewerKilled, WhatItWasViewingGoesToAThird) {
  ASSERT_TRUE(put_item(*channel_, 0, deadline::at_once()));
  child viewer([&] {
    const core_handle own = open_named(name_, type());
    taken_item view;
    take(own, view, deadline::never(), hold::view);
    for (int i = 1; i <= static_cast<int>(kCapacity); ++i) put_item(*own, i, deadline::at_once());
    ::raise(SIGKILL);
    return 0;
  });
  viewer.wait();
  child recoverer([&] {
    const core_handle own = open_named(name_, type());
    die_at(GetParam().point, GetParam().hit);
    own->look_for_the_dead(/*even_if_just_looked=*/true);
    take_item(own, deadline::at_once(), hold::view);
    return 0;
  });
  expect_killed(recoverer);
  EXPECT_EQ(take_the_rest(kLongEnough), (std::vector<int>{0, 1, 2, 3}));
  expect_whole();
}
INSTANTIATE_TEST_SUITE_P(AtEveryPoint, RecovererOfASlowViewerKilled,
                         testing::Values(scenario{"recovery.view", 1, payload_place::slot},
                                         scenario{"recovery.slots", 1, payload_place::slot},
                                         scenario{"recovery.counted", 1, payload_place::slot},
                                         scenario{"orphan.view.taken", 1, payload_place::slot}),
                         name_of);

/// A putter dies after it has taken the slot away from a view.
using PutterKilledAtAView = ChannelCrash;

TEST_P(PutterKilledAtAView, TheViewStaysAndTheItemIsTakenOnce) {
  ASSERT_TRUE(put_item(*channel_, 0, deadline::at_once()));
  taken_item view;
  ASSERT_EQ(take(channel_, view, deadline::at_once(), hold::view), take_status::taken);
  child putter([&] {
    const core_handle own = open_named(name_, type());
    die_at(GetParam().point, GetParam().hit);
    for (int i = 1; i < 5; ++i) put_item(*own, i, deadline::at_once());
    return 0;
  });
  expect_killed(putter);
  EXPECT_EQ(number_in(view.bytes()), 0);
  const std::vector<int> seen = take_the_rest(kLongEnough);
  EXPECT_GE(seen.size(), 2U);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], static_cast<int>(i) + 1);
  EXPECT_EQ(number_in(view.bytes()), 0);
  view = {};
  expect_whole();
}
INSTANTIATE_TEST_SUITE_P(AtEveryPoint, PutterKilledAtAView,
                         testing::Values(scenario{"ring.put.detached", 1, payload_place::slot},
                                         scenario{"ring.put.detached", 1, payload_place::piece},
                                         scenario{"block.filled", 1, payload_place::slot},
                                         scenario{"ring.put.claimed", 3, payload_place::slot},
                                         scenario{"ring.put.written", 3, payload_place::piece}),
                         name_of);

}  // namespace
}  // namespace weir::tests
