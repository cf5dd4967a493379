// SPDX-License-Identifier: BSL-1.0
// A rank that is killed at each point of the team's code, while the others work with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/crash.hpp"
#include "support/leftovers.hpp"
#include "support/session.hpp"
#include "weir/channel.hpp"
#include "weir/spmd.hpp"

namespace weir::tests {
namespace {

enum class work { enter, barrier, all_reduce, large, handles, leave, differ, fail, send, send_to_full, receive, stash };

struct team_crash_case {
  work what;
  const char* point;
  int hit;
};

std::ostream& operator<<(std::ostream& out, const team_crash_case& c) {
  return out << c.point << " in " << static_cast<int>(c.what) << ", hit " << c.hit;
}

/// Rank 1 dies in the midst of it; whoever gets to the end has noticed nothing, and is not to.
void do_work(team& team, work what, const std::string& point, int hit) {
  const std::size_t me = team.rank();
  if (me == 1) die_at(point, hit);
  switch (what) {
    case work::enter:
    case work::leave: break;
    case work::barrier:
      for (;;) team.barrier();
    case work::all_reduce:
      for (;;) team.all_reduce(1.0, std::plus<>());
    case work::large:
      for (;;) team.all_gather(std::vector<double>(20'000, 1.0));
    case work::handles:
      for (;;) team.all_gather(channel<int>(1));
    case work::differ:
      if (me == 1) team.all_gather(1);
      team.barrier();
      break;
    case work::fail:
      if (me == 1) throw std::runtime_error("boom");
      team.barrier();
      break;
    case work::send:
      if (me == 1) {
        for (;;) team.send(0, 1, 5);
      }
      for (;;) team.receive<int>(1, me == 0 ? 1 : 2);
    case work::send_to_full:
      if (me == 2) team.receive<int>(1, 9);
      for (;;) team.send(1 - me, 1, 5);  // never received: into the inboxes, then into the stash
    case work::receive:
      if (me != 1) {
        for (;;) team.send(1, 1, 5);
      }
      for (;;) team.receive<int>(0, 1);
    case work::stash:
      if (me != 1) {
        for (;;) team.send(1, 1, 5);
      }
      team.receive<int>(0, 2);
  }
}

class TeamCrash : public SessionTest, public testing::WithParamInterface<team_crash_case> {};

TEST_P(TeamCrash, EndsTheTeamAndLeavesNothing) {
  const team_crash_case& c = GetParam();
  start(3);
  const auto run = [](team& team, int what, const std::string& point, int hit) {
    do_work(team, static_cast<work>(what), point, hit);
  };
  const auto before = shm::list_segments('@' + realm() + ".team.");
  try {
    session().spmd(run, static_cast<int>(c.what), std::string(c.point), c.hit);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const worker_died& e) {
    EXPECT_EQ(e.id(), 3U);
    EXPECT_EQ(e.signal(), SIGKILL);
  } catch (const std::exception& e) {
    // Dying after it has said what is wrong, or returned, it is what the others have been told that counts.
    EXPECT_TRUE(c.what == work::differ || c.what == work::fail) << e.what();
  }
  EXPECT_EQ(shm::list_segments('@' + realm() + ".team."), before);
  EXPECT_TRUE(comes_true([&] { return session().workers().size() == 2; }));
  start(1);
  EXPECT_THAT(session().spmd([](team& team) { return team.all_reduce(1, std::plus<>()); }), testing::Each(3));
}

INSTANTIATE_TEST_SUITE_P(
    AtEachPoint, TeamCrash,
    testing::Values(
        team_crash_case{work::barrier, "team.bringing", 3}, team_crash_case{work::barrier, "team.brought", 3},
        team_crash_case{work::barrier, "team.announced", 3}, team_crash_case{work::barrier, "team.met", 3},
        team_crash_case{work::barrier, "team.signalled", 3}, team_crash_case{work::all_reduce, "team.bringing", 50},
        team_crash_case{work::all_reduce, "team.brought", 50}, team_crash_case{work::all_reduce, "team.announced", 50},
        team_crash_case{work::all_reduce, "team.met", 50}, team_crash_case{work::all_reduce, "team.signalled", 50},
        team_crash_case{work::large, "space.reserving", 2}, team_crash_case{work::large, "space.reserved", 2},
        team_crash_case{work::large, "team.brought", 4}, team_crash_case{work::large, "team.announced", 4},
        team_crash_case{work::handles, "team.announced", 4}, team_crash_case{work::handles, "team.reading", 3},
        team_crash_case{work::handles, "team.read", 3}, team_crash_case{work::differ, "team.reason", 1},
        team_crash_case{work::differ, "team.failing", 1}, team_crash_case{work::differ, "team.failed", 1},
        team_crash_case{work::fail, "team.reason", 1}, team_crash_case{work::fail, "team.failing", 1},
        team_crash_case{work::fail, "team.failed", 1}, team_crash_case{work::send, "team.sending", 1},
        team_crash_case{work::send, "team.sending", 200}, team_crash_case{work::send, "team.sent", 1},
        team_crash_case{work::send, "team.sent", 200}, team_crash_case{work::send_to_full, "team.stashing", 70},
        team_crash_case{work::send_to_full, "team.stashed", 70}, team_crash_case{work::receive, "team.received", 1},
        team_crash_case{work::receive, "team.received", 200}, team_crash_case{work::stash, "team.stashed", 100}));

/// Points that each rank passes once, before or after the function: what the others see is its death.
class TeamCrashOutside : public SessionTest, public testing::WithParamInterface<const char*> {};

TEST_P(TeamCrashOutside, EndsTheTeamAndLeavesNothing) {
  const auto w = start(3);
  w[1].fetch([](const std::string& point) { die_at(point); }, std::string(GetParam()));
  const auto run = [](team& team) {
    if (team.rank() != 1) team.receive<int>(1, 0);
  };
  try {
    session().spmd(run);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const worker_died& e) {
    EXPECT_EQ(e.id(), 3U);
  } catch (const remote_error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("that rank has returned")) << "it died after that";
    EXPECT_STREQ(GetParam(), "team.left");
  }
  EXPECT_TRUE(shm::list_segments('@' + realm() + ".team.").empty());
  EXPECT_TRUE(comes_true([&] { return session().workers().size() == 2; }));
  EXPECT_THAT(session().spmd([](team& team) { return team.all_reduce(1, std::plus<>()); }), testing::Each(2));
}

INSTANTIATE_TEST_SUITE_P(AtEachPoint, TeamCrashOutside,
                         testing::Values("team.entering", "team.named", "team.entered", "team.leaving", "team.left"));

/// The inbox is made by whoever needs it first.
class TeamCrashMakingAnInbox : public SessionTest, public testing::WithParamInterface<const char*> {};

TEST_P(TeamCrashMakingAnInbox, LeavesNothing) {
  const auto w = start(2);
  w[1].fetch([](const std::string& point) { die_at(point); }, std::string(GetParam()));
  const auto run = [](team& team) {
    if (team.rank() == 1) team.send(0, 1, 5);
    team.barrier();
  };
  try {
    session().spmd(run);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const worker_died& e) {
    EXPECT_EQ(e.id(), 3U);
  }
  EXPECT_TRUE(shm::list_segments('@' + realm() + ".team.").empty());
}

INSTANTIATE_TEST_SUITE_P(AtEachPoint, TeamCrashMakingAnInbox, testing::Values("team.inbox.marked", "team.inbox.made"));

/// The control process, while it takes a team away.
class TeamCrashOfTheControlProcess : public testing::Test, public testing::WithParamInterface<const char*> {};

TEST_P(TeamCrashOfTheControlProcess, LeavesNothing) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  child control([&] {
    weir::session own;
    own.add_workers(2);
    const std::string& realm = own.realm();
    if (::write(pipe_ends[1], realm.data(), realm.size()) < 0) return 1;
    die_at(GetParam());
    own.spmd([](team& team) {
      team.send(1 - team.rank(), 0, 1);
      team.barrier();
    });
    return 0;
  });
  std::string realm(12, ' ');
  EXPECT_EQ(::read(pipe_ends[0], realm.data(), realm.size()), 12);
  EXPECT_TRUE(WIFSIGNALED(control.wait()));
  EXPECT_TRUE(comes_true([&] { return shm::list_segments('@' + realm + ".").empty(); }));
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
}

INSTANTIATE_TEST_SUITE_P(AtEachPoint, TeamCrashOfTheControlProcess,
                         testing::Values("team.removing", "team.inboxes.removed"));

TEST(TeamInFullMemory, SaysSoAndTheNextOneWorks) {
  with_memory_of("16m", [] {
    weir::session own;
    own.add_workers(2);
    const auto bring = [](team& team, std::size_t bytes) { return team.all_gather(std::string(bytes, 'x')).size(); };
    try {
      own.spmd(bring, std::size_t{32} << 20U);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const remote_error& e) {
      EXPECT_THROW(std::rethrow_if_nested(e), no_space);
      EXPECT_THAT(e.what(), testing::HasSubstr("all_gather<std::string>() \"@"));
      EXPECT_THAT(e.what(), testing::HasSubstr("shared memory is full: 32.0 MiB asked"));
    }
    EXPECT_THAT(own.spmd(bring, std::size_t{1} << 20U), testing::Each(2U));
  });
}

TEST(TeamLeftovers, GoOnceTheirCreatorIsDead) {
  in_own_memory([] {
    const pid_t pid = killed_after([] { new detail::team_launch({kControlProcess, 2}); });
    ASSERT_EQ(segments().size(), 1U);
    const auto found = sweep_all();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].kind, "team");
    EXPECT_EQ(found[0].what, runtime::fate::removed);
    EXPECT_EQ(found[0].why, "its creator, pid " + std::to_string(pid) + ", is dead");
    EXPECT_TRUE(segments().empty());
  });
}

TEST(TeamLeftovers, StayWhileTheirSessionLives) {
  in_own_memory([] {
    const weir::session own;
    const detail::team_launch launch({kControlProcess});
    EXPECT_EQ(of(sweep_all(), launch.name()).what, runtime::fate::kept);
  });
}

}  // namespace
}  // namespace weir::tests
