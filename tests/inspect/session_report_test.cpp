// SPDX-License-Identifier: BSL-1.0
#include "inspect/session.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "inspect/channel.hpp"
#include "inspect/segments.hpp"
#include "runtime/session_table.hpp"
#include "segment/names.hpp"
#include "support/child.hpp"
#include "support/session.hpp"

namespace weir::tests {
namespace {

using inspect::segment_state;
using runtime::worker_state;
using testing::HasSubstr;
using testing::SizeIs;

/// The table of a session that this process plays.
class SessionReport : public testing::Test {
 protected:
  SessionReport() : name_(shm::own_name("session")), table_(runtime::session_table::create()) {}
  ~SessionReport() override { table_.remove(); }
  [[nodiscard]] inspect::session_report look() const { return inspect::describe_session(name_); }
  template <class T>
  void overwrite(std::size_t offset, T value) const {
    const shm::unique_fd file(::open(("/dev/shm/weir." + name_).c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(::pwrite(file.get(), &value, sizeof value, static_cast<off_t>(offset)),
              static_cast<ssize_t>(sizeof value));
  }

  std::string name_;
  runtime::session_table table_;
};

TEST_F(SessionReport, NamesTheControlProcessAndEachWorker) {
  const process_id first = table_.add_process(1);
  const process_id second = table_.add_process(3);
  table_.set_running(first);
  table_.find(first)->calls_served.store(7);
  table_.set_gone(second, runtime::exit_kind::signalled, 9);
  const inspect::session_report report = look();
  ASSERT_TRUE(report.readable) << report.segment.why;
  EXPECT_EQ(report.segment.state, segment_state::alive);
  EXPECT_EQ(report.segment.items, 1U);
  ASSERT_THAT(report.processes, SizeIs(3));
  EXPECT_EQ(report.processes[0].id, kControlProcess);
  EXPECT_EQ(report.processes[0].state, worker_state::running);
  EXPECT_EQ(report.processes[0].who, shm::this_process());
  EXPECT_EQ(report.processes[0].life, shm::liveness::alive);
  EXPECT_EQ(report.processes[1].id, first);
  EXPECT_EQ(report.processes[1].calls_served, 7U);
  EXPECT_EQ(report.processes[2].state, worker_state::gone);
  EXPECT_EQ(report.processes[2].ended.signal, 9);
}

TEST_F(SessionReport, IsInTheListWithItsNumberOfWorkers) {
  const auto segments = inspect::list(name_);
  ASSERT_THAT(segments, SizeIs(1));
  EXPECT_EQ(segments[0].header->kind, shm::object_kind::session);
  EXPECT_EQ(segments[0].items, 0U);
}

TEST_F(SessionReport, OfADeadControlProcessIsStale) {
  overwrite(offsetof(shm::segment_header, creator) + offsetof(shm::process_identity, start_time), std::uint64_t{1});
  const inspect::session_report report = look();
  EXPECT_EQ(report.segment.state, segment_state::stale);
  EXPECT_THAT(report.segment.why, HasSubstr("is dead"));
}

TEST_F(SessionReport, KeepsWhatBelongsToALivingSessionAlive) {
  const std::string name = shm::own_name("results.99");
  child creator([&] {
    shm::join_realm(name_.substr(1, name_.find('.') - 1));
    shm::segment_spec spec;
    spec.name = name;
    spec.kind = shm::object_kind::results;
    const auto made = shm::segment::create("make", spec, shm::kPage, shm::kPage, [](shm::segment&) {});
    return 0;
  });
  ASSERT_EQ(creator.wait(), 0);
  EXPECT_EQ(inspect::look_at(name).state, segment_state::alive);
  table_.remove();
  EXPECT_EQ(inspect::look_at(name).state, segment_state::stale);
  EXPECT_EQ(::unlink(("/dev/shm/weir." + name).c_str()), 0);
}

TEST_F(SessionReport, OfATableThatCannotBeIsCorrupt) {
  overwrite(runtime::kEntriesOffset + sizeof(runtime::process_entry), std::uint32_t{44});
  EXPECT_EQ(look().segment.state, segment_state::corrupt);
  EXPECT_THAT(look().segment.why, HasSubstr("process 1 is in a state 44 that there is not"));
  overwrite(runtime::kSessionHeaderOffset, std::uint32_t{0});
  EXPECT_THAT(look().segment.why, HasSubstr("next process would have the number 0"));
  EXPECT_EQ(inspect::look_at(name_).state, segment_state::corrupt);
}

// ---- a real one

using RunningSession = SessionTest;

int pid_of_this_process() { return ::getpid(); }

TEST_F(RunningSession, ShowsItsWorkersAndAllItsSegmentsAlive) {
  const auto workers = start(2);
  const int pid = workers[1].fetch(pid_of_this_process);
  const auto table = [&] { return inspect::describe_session('@' + realm() + ".session"); };
  EXPECT_TRUE(comes_true([&] {  // an answer is there before its call is counted as served
    const auto report = table();
    return report.processes.size() == 3 && report.processes[2].calls_served != 0;
  }));
  const inspect::session_report report = table();
  ASSERT_THAT(report.processes, SizeIs(3));
  EXPECT_EQ(report.segment.items, 2U);
  EXPECT_EQ(report.processes[2].id, workers[1].id());
  EXPECT_EQ(report.processes[2].who.pid, pid);
  EXPECT_EQ(report.processes[2].life, shm::liveness::alive);
  const auto segments = inspect::list('@' + realm() + ".*");
  EXPECT_GE(segments.size(), 3U);
  for (const inspect::segment_report& segment : segments) {
    EXPECT_EQ(segment.state, segment_state::alive) << segment.name << ' ' << segment.why;
    if (segment.header->kind != shm::object_kind::channel) continue;
    EXPECT_THAT(inspect::describe_channel(segment.name).problems, testing::IsEmpty()) << segment.name;
  }
}

}  // namespace
}  // namespace weir::tests
