// SPDX-License-Identifier: BSL-1.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "inspect/segments.hpp"
#include "inspect/team.hpp"
#include "segment/names.hpp"
#include "support/session.hpp"
#include "weir/channel.hpp"
#include "weir/spmd.hpp"

namespace weir::tests {
namespace {

using inspect::segment_state;
using runtime::rank_state;
using testing::HasSubstr;
using testing::SizeIs;

class TeamReport : public SessionTest {
 protected:
  [[nodiscard]] std::string find() const {
    const auto names = shm::list_segments('@' + realm() + ".team.");
    return names.empty() ? std::string() : names.front();
  }
  template <class T>
  static void overwrite(const std::string& name, std::size_t offset, T value) {
    const shm::unique_fd file(::open(("/dev/shm/weir." + name).c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(::pwrite(file.get(), &value, sizeof value, static_cast<off_t>(offset)),
              static_cast<ssize_t>(sizeof value));
  }
};

TEST_F(TeamReport, ShowsWhoWaitsInWhichOperation) {
  start(3);
  const channel<int> go(1);
  std::thread running([&] {
    session().spmd(
        [](team& team, channel<int> signal) {
          team.barrier();
          if (team.rank() == 2) {
            team.receive<int>(1, 44);
          } else if (team.rank() == 1) {
            static_cast<void>(signal.take());
            team.send(2, 44, 1);
          }
          team.all_reduce(1.0, std::plus<>());
        },
        go);
  });
  inspect::team_report report;
  EXPECT_TRUE(comes_true([&] {
    report = inspect::describe_team(find());
    return report.readable && report.ranks[0].waits == "all_reduce<double>()" && report.ranks[1].waits.empty() &&
           report.ranks[2].waits == "receive from rank 1, tag 44";
  }));
  EXPECT_EQ(report.segment.state, segment_state::alive);
  EXPECT_EQ(report.segment.items, 3U);
  EXPECT_EQ(report.segment.capacity, 3U);
  EXPECT_EQ(report.failed, "");
  ASSERT_THAT(report.ranks, SizeIs(3));
  EXPECT_TRUE(report.ranks[0].is_waiting);
  EXPECT_EQ(report.ranks[0].operations, 2U);
  EXPECT_EQ(report.ranks[1].operation, "barrier()");
  EXPECT_EQ(report.ranks[1].operations, 1U);
  EXPECT_EQ(report.ranks[1].process, 3U);
  EXPECT_FALSE(report.ranks[1].is_waiting);
  EXPECT_EQ(report.ranks[1].waits, "");
  EXPECT_EQ(report.ranks[2].waits, "receive from rank 1, tag 44");
  EXPECT_EQ(report.ranks[2].state, rank_state::entered);
  EXPECT_EQ(report.ranks[2].life, shm::liveness::alive);
  const auto listed = inspect::list(find());
  EXPECT_THAT(listed, SizeIs(1));
  EXPECT_EQ(listed.front().header->kind, shm::object_kind::team);
  channel<int>(go).put(1);
  running.join();
}

TEST_F(TeamReport, SaysHowATeamHasFailed) {
  start(2);
  std::string name;
  const channel<int> go(1);
  std::thread running([&] {
    EXPECT_THROW(session().spmd(
                     [](team& team, channel<int> signal) {
                       if (team.rank() == 0) throw std::runtime_error("boom");
                       static_cast<void>(signal.take());
                     },
                     go),
                 remote_error);
  });
  inspect::team_report report;
  EXPECT_TRUE(comes_true([&] {
    report = inspect::describe_team(find());
    return report.readable && report.ranks[0].state == rank_state::failed;
  }));
  EXPECT_EQ(report.failed, "rank 0 threw std::runtime_error: boom");
  channel<int>(go).put(1);
  running.join();
}

TEST_F(TeamReport, OfATeamThatCannotBeIsCorrupt) {
  start(1);
  const channel<int> go(1);
  std::thread running(
      [&] { session().spmd([](team&, channel<int> signal) { static_cast<void>(signal.take()); }, go); });
  EXPECT_TRUE(comes_true([&] { return inspect::describe_team(find()).readable; }));
  const std::string name = find();
  overwrite(name, runtime::kTeamRanksOffset, std::uint32_t{9});
  EXPECT_THAT(inspect::look_at(name).why, HasSubstr("rank 0 is in a state 9 that there is not"));
  overwrite(name, runtime::kTeamRanksOffset, rank_state::entered);
  EXPECT_EQ(inspect::look_at(name).state, segment_state::alive);
  overwrite(name, runtime::kTeamHeaderOffset + offsetof(runtime::team_header, failed), ~std::uint32_t{0});
  EXPECT_THAT(inspect::describe_team(name).failed, HasSubstr("that there is not"));
  overwrite(name, runtime::kTeamHeaderOffset + offsetof(runtime::team_header, failed), std::uint32_t{0});
  overwrite(name, runtime::kTeamHeaderOffset, std::uint32_t{4000});
  EXPECT_EQ(inspect::look_at(name).state, segment_state::corrupt);
  EXPECT_THAT(inspect::look_at(name).why, HasSubstr("4000 ranks"));
  overwrite(name, runtime::kTeamHeaderOffset, std::uint32_t{1});
  channel<int>(go).put(1);
  running.join();
}

}  // namespace
}  // namespace weir::tests
