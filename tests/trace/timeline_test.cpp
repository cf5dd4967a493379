// SPDX-License-Identifier: BSL-1.0
// How events become slices and arrows: on reports made here.
#include "inspect/trace_timeline.hpp"

#include "sync/blocking.hpp"
#include "trace/traced.hpp"

namespace weir::tests {
namespace {

using inspect::trace_event;
using inspect::trace_report;
using inspect::trace_timeline;
using testing::IsEmpty;
using testing::SizeIs;

class Timeline : public testing::Test {
 protected:
  /// In the order of their times.
  void add(trace_event event) {
    while (report_.processes.size() < event.process) {
      report_.processes.emplace_back().id = static_cast<process_id>(report_.processes.size());
    }
    report_.processes[event.process - 1].events.push_back(event);
  }
  void put(std::int64_t at, process_id by, std::uint64_t ticket) {
    add({.time_ns = at, .number = ticket, .object = 9, .thread = 1, .process = by, .kind = event_kind::put});
  }
  void take(std::int64_t at, process_id by, std::uint64_t ticket) {
    add({.time_ns = at, .number = ticket, .object = 9, .thread = 1, .process = by, .kind = event_kind::take});
  }
  void on_thread(std::int64_t at, event_kind kind, std::uint64_t number = 0, std::uint64_t object = 0) {
    add({.time_ns = at,
         .number = number,
         .object = object,
         .peer = 2,
         .thread = 1,
         .process = 1,
         .kind = kind,
         .detail = static_cast<std::uint8_t>(kind == event_kind::run_end ? 0 : 1)});
  }
  [[nodiscard]] trace_timeline made() const { return make_timeline(report_); }
  trace_report report_;
};

TEST_F(Timeline, OfNothingIsEmpty) { EXPECT_THAT(made().slices, IsEmpty()); }

TEST_F(Timeline, HasArrowsOnlyWhereBothEndsAreThere) {
  put(100, 1, 0);
  put(200, 1, 1);
  take(300, 2, 1);
  take(400, 2, 2);
  const trace_timeline t = made();
  ASSERT_THAT(t.flows, SizeIs(1));
  EXPECT_EQ(t.slices[t.flows[0].from].event->number, 1U);
  EXPECT_EQ(t.slices[t.flows[0].to].event->number, 1U);
}

TEST_F(Timeline, HasNoArrowBackInTime) {
  take(100, 2, 0);
  put(200, 1, 0);
  EXPECT_THAT(made().flows, IsEmpty());
}

TEST_F(Timeline, LetsAnItemBeTakenOnce) {
  put(100, 1, 0);
  take(200, 2, 0);
  take(300, 2, 0);
  EXPECT_THAT(made().flows, SizeIs(1));
}

TEST_F(Timeline, FollowsAnItemThatRecoveryMovedUp) {
  put(100, 1, 4);
  put(110, 2, 5);  // never returned
  on_thread(200, event_kind::moved, 4, 9);
  take(300, 2, 5);
  const trace_timeline t = made();
  ASSERT_THAT(t.flows, SizeIs(1));
  EXPECT_EQ(t.slices[t.flows[0].from].event->number, 4U);
}

TEST_F(Timeline, PutsAPutBeforeItsTakeOfTheSameNanosecond) {
  take(100, 1, 0);
  put(100, 2, 0);
  EXPECT_THAT(made().flows, SizeIs(1));
}

TEST_F(Timeline, EndsWhatTakesNoTimeBeforeWhatTheThreadDoesNext) {
  put(1000, 1, 0);
  put(1100, 1, 1);
  put(9000, 1, 2);
  const trace_timeline t = made();
  EXPECT_EQ(t.slices[0].end_ns, 1100);
  EXPECT_EQ(t.slices[1].end_ns, 1100 + inspect::kInstantNs);
}

TEST_F(Timeline, NestsWaitsInRuns) {
  on_thread(100, event_kind::run_begin, 7);
  on_thread(200, event_kind::wait_begin, 0, 9);
  on_thread(300, event_kind::wait_end, 0, 9);
  on_thread(400, event_kind::run_end, 7);
  const trace_timeline t = made();
  ASSERT_THAT(t.slices, SizeIs(2));
  EXPECT_EQ(t.slices[0].end_ns, 400);
  EXPECT_EQ(t.slices[1].end_ns, 300);
  EXPECT_TRUE(t.slices[0].is_finished && t.slices[1].is_finished);
}

TEST_F(Timeline, LetsWhatHasNoEndLastUntilTheEndOfTheTrace) {
  on_thread(100, event_kind::run_begin, 7);
  on_thread(200, event_kind::wait_begin, 0, 9);
  put(5000, 2, 0);
  const trace_timeline t = made();
  EXPECT_FALSE(t.slices[0].is_finished);
  EXPECT_EQ(t.slices[1].end_ns, 5000);
}

TEST_F(Timeline, PassesOverEndsWhoseBeginsWereOverwritten) {
  on_thread(100, event_kind::wait_end, 0, 9);
  on_thread(200, event_kind::run_end, 7);
  EXPECT_THAT(made().slices, IsEmpty());
}

TEST_F(Timeline, EndsAWaitThatLostItsEndWithTheRunThatItIsIn) {
  on_thread(100, event_kind::run_begin, 7);
  on_thread(200, event_kind::wait_begin, 0, 9);
  on_thread(300, event_kind::run_end, 7);
  on_thread(400, event_kind::run_begin, 8);
  const trace_timeline t = made();
  EXPECT_TRUE(t.slices[0].is_finished);
  EXPECT_FALSE(t.slices[1].is_finished);
  EXPECT_EQ(t.slices[1].end_ns, 300);
}

}  // namespace
}  // namespace weir::tests
