// SPDX-License-Identifier: BSL-1.0
// Processes that are killed at each of the points where they can be while they record, or switch that on or off: what they
// leave is read whole, and the others go on.
#include "runtime/tracing.hpp"
#include "support/crash.hpp"
#include "trace/recorder.hpp"
#include "trace/traced.hpp"
#include "weir/weir.hpp"

namespace weir::tests {
namespace {

using inspect::read_trace;
using testing::Ge;
using testing::IsEmpty;
using testing::SizeIs;

std::string name_of(const testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

std::string realm_of_the_only_trace() {
  const auto found = inspect::find_realms("");
  EXPECT_THAT(found, SizeIs(1));
  return found.empty() ? "" : found.front();
}

// ---- who records

class ARecorderKilledAt : public testing::TestWithParam<const char*> {};

TEST_P(ARecorderKilledAt, LeavesWholeRecords) {
  for (const int hit : {1, 2, 5, 40'000}) {
    in_own_memory([hit] {
      killed_after([hit] {
        die_at(GetParam(), hit);
        session s({.trace = true});
        channel<int> numbers(4);
        channel<int> others(4);
        for (int i = 0; i < 30'000; ++i) {
          numbers.put(i);
          static_cast<void>(numbers.take());
        }
        others.put(1);
      });
      const auto report = read_trace(realm_of_the_only_trace());
      expect_sound(report);
      if (std::string(GetParam()) == "trace.record.written" && hit == 40'000) {
        const auto puts = events_of(report, event_kind::put);
        EXPECT_THAT(puts, SizeIs(Ge(trace::kRecords / 2 - 2)));
        EXPECT_GE(make_timeline(report).flows.size(), puts.size() - 2);
      }
      EXPECT_THAT(names_of(sweep_all(), runtime::fate::removed), SizeIs(Ge(1U)));
      EXPECT_THAT(segments(), IsEmpty());
    });
  }
}
INSTANTIATE_TEST_SUITE_P(Point, ARecorderKilledAt,
                         testing::Values("trace.made", "trace.starting", "trace.followed", "trace.ring.reserved",
                                         "trace.ring.taken", "trace.ring.named", "trace.name.written",
                                         "trace.name.counted", "trace.record.written", "trace.record.counted"),
                         name_of);

// ---- a worker among others

class AWorkerKilledAt : public testing::TestWithParam<const char*> {};

TEST_P(AWorkerKilledAt, LeavesItsTraceAndTheOthersGoOn) {
  in_own_memory([] {
    session s({.trace = true});
    const auto w = s.add_workers(2);
    auto dies = w[0].call(
        [](const std::string& point) {
          die_at(point);
          channel<int> numbers(2);
          for (int i = 0;; ++i) {
            numbers.put(i);
            static_cast<void>(numbers.take());
          }
        },
        std::string(GetParam()));
    EXPECT_THROW(dies.get(), worker_died);
    EXPECT_EQ(w[1].fetch([](int x) { return x + 1; }, 1), 2);
    const auto report = read_trace(s.realm());
    expect_sound(report);
    ASSERT_THAT(report.processes, SizeIs(3));
    EXPECT_EQ(report.processes[1].life, shm::liveness::dead);
    EXPECT_THAT(events_of(report, event_kind::run_begin), SizeIs(2));
  });
}
INSTANTIATE_TEST_SUITE_P(Point, AWorkerKilledAt,
                         testing::Values("trace.name.written", "trace.name.counted", "trace.record.written",
                                         "trace.record.counted"),
                         name_of);

// ---- switching

TEST(ASwitcherKilledAfterItHasSwitched, IsObeyed) {
  in_own_memory([] {
    session s;
    const std::string realm = s.realm();
    killed_after([&] {
      die_at("trace.switched");
      runtime::switch_trace_of(realm, true);
    });
    EXPECT_TRUE(comes_true([] { return trace::is_on(); }));
    EXPECT_TRUE(runtime::switch_trace_of(realm, true).was_so);
  });
}

class AProcessKilledWhileItStops : public testing::TestWithParam<const char*> {};

TEST_P(AProcessKilledWhileItStops, LeavesItsTrace) {
  in_own_memory([] {
    killed_after([] {
      session s({.trace = true});
      channel<int> numbers(2);
      numbers.put(1);
      EXPECT_THAT(events_of(read_trace(s.realm()), event_kind::put), SizeIs(1));
      die_at(GetParam());
      runtime::switch_trace_of(s.realm(), false);
      static_cast<void>(comes_true([] { return false; }));  // it dies while it waits
    });
    const auto report = read_trace(realm_of_the_only_trace());
    expect_sound(report);
    EXPECT_THAT(events_of(report, event_kind::put), SizeIs(1));
    sweep_all();
    EXPECT_THAT(segments(), IsEmpty());
  });
}
INSTANTIATE_TEST_SUITE_P(Point, AProcessKilledWhileItStops, testing::Values("trace.stopped", "trace.followed"),
                         name_of);

}  // namespace
}  // namespace weir::tests
