// SPDX-License-Identifier: BSL-1.0
// Traces whose bytes make no sense: what does is told, the rest is counted.
#include <fmt/core.h>

#include <random>

#include "segment/segment.hpp"
#include "trace/recorder.hpp"
#include "trace/traced.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using inspect::read_trace;
using testing::HasSubstr;
using testing::SizeIs;

/// Runs with a session that has recorded 10 puts in ring 0, and its trace mapped to be written to.
void with_trace(const std::function<void(const std::string& realm, shm::segment& bytes)>& run) {
  in_own_memory([&] {
    session s({.trace = true});
    channel<int> numbers(10);
    for (int i = 0; i < 10; ++i) numbers.put(i);
    shm::segment bytes = shm::segment::open("forge", trace::segment_name(1), shm::object_kind::trace);
    run(s.realm(), bytes);
  });
}

trace::thread_header& ring_of_puts(shm::segment& bytes) {
  return *bytes.at<trace::thread_header>(trace::kThreadsOffset);
}
trace::event_record* records(shm::segment& bytes) { return bytes.at<trace::event_record>(trace::kRingsOffset); }

TEST(AForgedTrace, OfRecordsThatCannotBeCountsThem) {
  with_trace([](const std::string& realm, shm::segment& bytes) {
    ASSERT_THAT(events_of(read_trace(realm), event_kind::put), SizeIs(10));
    records(bytes)[2].kind = static_cast<event_kind>(77);
    records(bytes)[3].kind = event_kind::none;
    records(bytes)[4].sequence = 9;
    records(bytes)[5].time_ns = 1;
    const auto report = read_trace(realm);
    EXPECT_EQ(report.processes.front().damaged, 4U);
    EXPECT_THAT(events_of(report, event_kind::put), SizeIs(6));
  });
}

TEST(AForgedTrace, WithAHeadBeyondItsRecordsIsReadInBounds) {
  for (const std::uint64_t head : {std::uint64_t{12}, std::uint64_t{trace::kRecords}, UINT64_MAX, UINT64_MAX / 2}) {
    with_trace([head](const std::string& realm, shm::segment& bytes) {
      const std::uint64_t before = ring_of_puts(bytes).head.exchange(head);
      const auto report = read_trace(realm);
      EXPECT_GT(report.processes.front().damaged, 0U) << head;
      static_cast<void>(make_timeline(report));
      ring_of_puts(bytes).head.store(before);
    });
  }
}

TEST(AForgedTrace, WithNamesOutOfRangeIsReadInBounds) {
  with_trace([](const std::string& realm, shm::segment& bytes) {
    bytes.at<trace::name_entry>(trace::kNamesOffset)->bytes = 0xffffffff;
    bytes.at<trace::trace_header>(trace::kTraceHeaderOffset)->names.store(0xffffffff);
    const auto report = read_trace(realm);
    EXPECT_THAT(report.processes.front().names, SizeIs(testing::Le(trace::kNames)));
  });
}

TEST(AForgedTrace, OfAnotherProcessIsNotBelieved) {
  with_trace([](const std::string& realm, shm::segment& bytes) {
    bytes.at<trace::trace_header>(trace::kTraceHeaderOffset)->process = 7;
    EXPECT_THAT(read_trace(realm).processes.front().why, HasSubstr("process 7"));
  });
}

TEST(AForgedTrace, OfNoiseIsReadInBounds) {
  with_trace([](const std::string& realm, shm::segment& bytes) {
    std::mt19937 random(1);
    for (int round = 0; round < 50; ++round) {
      for (int i = 0; i < 200; ++i) {
        const std::size_t at = shm::kPage + random() % (trace::kRingsOffset - shm::kPage);
        bytes.base()[at] = static_cast<std::byte>(random());
      }
      const auto report = read_trace(realm);
      static_cast<void>(make_timeline(report));
      for (const auto& process : report.processes) {
        for (const auto& event : process.events) static_cast<void>(text_of(event) + object_of(process, event));
      }
    }
  });
}

}  // namespace
}  // namespace weir::tests
