// SPDX-License-Identifier: BSL-1.0
// Channels in which a process died, or is, in the middle of something: the inspector sees it, and sees when it is over.
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>

#include "channel/channel_core.hpp"
#include "inspect/channel_fixture.hpp"
#include "inspect/segments.hpp"
#include "support/crash.hpp"
#include "support/small_memory.hpp"

namespace weir::tests {
namespace {

using channels::block_phase;
using channels::phase;
using inspect::segment_state;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class DeadProcess : public InspectedChannel {
 protected:
  /// Runs it in a process of its own, which must be killed in it; returns that process's pid.
  pid_t run_to_death(const std::function<void(const detail::core_handle&)>& run) {
    child victim([&] {
      run(detail::open_named(name(), strings()));
      return 0;
    });
    const pid_t pid = victim.pid();
    const int status = victim.wait();
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "status " << status;
    return pid;
  }
  void expect_recovery(const detail::core_handle& channel) {
    channel->look_for_the_dead(/*even_if_just_looked=*/true);
    const inspect::channel_report report = look();
    EXPECT_THAT(report.problems, IsEmpty());
    EXPECT_THAT(report.participants, SizeIs(1));
  }
  static std::string dead(pid_t pid) { return fmt::format("process {}, which is dead", pid); }
};

TEST_F(DeadProcess, WhileItHeldTheLockIsSeenUntilTheNextOneRepairs) {
  const auto channel = make(strings(), 2);
  const pid_t pid = run_to_death([](const detail::core_handle& own) {
    own->header().mutex.lock();
    ::raise(SIGKILL);
  });
  const inspect::channel_report report = look();
  EXPECT_TRUE(report.lock.owner_died);
  EXPECT_EQ(report.lock.life, shm::liveness::dead);
  EXPECT_EQ(report.lock.thread, pid);
  EXPECT_EQ(report.lock.pid, pid);
  EXPECT_THAT(report.problems, ElementsAre(HasSubstr(fmt::format("lock: held by thread {}, which is dead", pid))));
  expect_recovery(channel);
  EXPECT_FALSE(look().lock.owner_died);
}

TEST_F(DeadProcess, IsNotWhatHoldsTheLockAndLives) {
  const auto channel = make(strings(), 2);
  child holder([&] {
    const auto own = detail::open_named(name(), strings());
    own->header().mutex.lock();
    for (;;) ::pause();
    return 0;
  });
  inspect::channel_report report = look();
  while (report.participants.size() < 2 || !report.lock.held || report.lock.pid != holder.pid()) report = look();
  EXPECT_EQ(report.lock.thread, holder.pid());
  EXPECT_EQ(report.lock.life, shm::liveness::alive);
  EXPECT_THAT(report.problems, IsEmpty());
}

TEST_F(DeadProcess, InAPutIsSeenUntilItsSlotIsGivenUp) {
  const auto channel = make(strings(), 3);
  put_text(*channel, 5);
  const pid_t pid = run_to_death([](const detail::core_handle& own) {
    die_at("ring.put.claimed");
    put_text(*own, 5);
  });
  const inspect::channel_report report = look();
  EXPECT_EQ(report.slots.at(1).phase, phase::writing);
  EXPECT_EQ(report.slots.at(1).pid, pid);
  EXPECT_THAT(report.problems, ElementsAre("slot 1, ticket 1: writing, and its owner is " + dead(pid)));
  EXPECT_THAT(report.participants, SizeIs(2));
  EXPECT_EQ(report.participants.at(1).life, shm::liveness::dead);
  expect_recovery(channel);
}

TEST_F(DeadProcess, InATakeIsSeenUntilItsItemIsAnOrphan) {
  const auto channel = make(strings(), 3);
  put_text(*channel, 5);
  put_text(*channel, kLong);
  const pid_t pid = run_to_death([](const detail::core_handle& own) {
    die_at("ring.take.claimed", 2);
    (void)take(own);
    (void)take(own);
  });
  EXPECT_THAT(look().problems, ElementsAre("slot 1, ticket 1: reading, and its owner is " + dead(pid)));
  expect_recovery(channel);
  const inspect::channel_report report = look();
  EXPECT_EQ(slots_in(report, phase::orphan), 1U);
  EXPECT_EQ(report.orphans, 1U);
  EXPECT_EQ(report.segment.items, 1U);
  EXPECT_EQ(report.segment.used_bytes, kLong);
}

TEST_F(DeadProcess, WithALoanIsSeenUntilItsBlockIsFree) {
  const auto channel = make(strings(), 3);
  const pid_t pid = run_to_death([](const detail::core_handle& own) {
    const detail::loaned_block loan = detail::loan(own, kLong);
    ::raise(SIGKILL);
  });
  EXPECT_THAT(look().problems, ElementsAre("block 0: is held by " + dead(pid) + ", and no slot names it"));
  expect_recovery(channel);
  EXPECT_EQ(blocks_in(look(), block_phase::free), look().geometry.block_count);
}

TEST_F(DeadProcess, WithAViewIsSeenUntilItsItemIsAnOrphan) {
  const auto channel = make(strings(), 3);
  put_text(*channel, kLong);
  const pid_t pid = run_to_death([](const detail::core_handle& own) {
    const detail::taken_item view = take(own, detail::hold::view);
    ::raise(SIGKILL);
  });
  EXPECT_THAT(look().problems, ElementsAre("block 0: item 0 is taken by " + dead(pid)));
  expect_recovery(channel);
  EXPECT_EQ(blocks_in(look(), block_phase::orphan), 1U);
  EXPECT_EQ(look().segment.items, 1U);
}

TEST_F(DeadProcess, WithAViewOfASlotIsSeenUntilItsItemIsAnOrphan) {
  const auto channel = make(strings(), 3);
  put_text(*channel, 5);
  const pid_t pid = run_to_death([](const detail::core_handle& own) {
    const detail::taken_item view = take(own, detail::hold::view);
    ::raise(SIGKILL);
  });
  EXPECT_THAT(look().problems, ElementsAre("slot 0, ticket 0: viewing, and its owner is " + dead(pid),
                                           "slot 0: item 0, read in place, is held by " + dead(pid)));
  expect_recovery(channel);
  EXPECT_EQ(look().segment.items, 1U);
  EXPECT_THAT(look().views, ElementsAre());
}

TEST_F(DeadProcess, ThatSleptIsSeenUntilItsEntryIsCleared) {
  const auto channel = make(strings(), 3);
  inspect::channel_report asleep;
  pid_t pid = 0;
  {
    child sleeper([&] {
      const auto own = detail::open_named(name(), strings());
      detail::taken_item item;
      (void)detail::take(own, item, detail::deadline::never());
      return 0;
    });
    pid = sleeper.pid();
    do {
      ::kill(pid, SIGCONT);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      ::kill(pid, SIGSTOP);  // in the middle of whatever it does
      siginfo_t info{};
      ::waitid(P_PID, static_cast<id_t>(pid), &info, WSTOPPED | WNOWAIT);
      asleep = look();
    } while (asleep.waiters.empty() || asleep.lock.held);
    EXPECT_THAT(asleep.problems, IsEmpty());  // stopped is not dead
  }
  EXPECT_EQ(asleep.waiters.at(0).pid, pid);
  const inspect::channel_report report = look();
  EXPECT_EQ(report.takers_asleep, 1U);
  EXPECT_EQ(report.waiters.at(0).life, shm::liveness::dead);
  EXPECT_THAT(report.problems, ElementsAre(HasSubstr("but belongs to " + dead(pid))));
  expect_recovery(channel);
  EXPECT_THAT(look().waiters, IsEmpty());
}

TEST_F(DeadProcess, InARecoveryThatMovesItemsIsSeen) {
  const auto channel = make(strings(), 3);
  put_text(*channel, kLong);
  (void)run_to_death([](const detail::core_handle& own) {
    die_at("ring.put.claimed");
    put_text(*own, 5);
  });
  const pid_t pid = run_to_death([](const detail::core_handle& own) {
    die_at("recovery.gap.moved");
    own->look_for_the_dead(/*even_if_just_looked=*/true);
  });
  const inspect::channel_report report = look();
  EXPECT_EQ(slots_in(report, phase::moving), 1U);
  EXPECT_EQ(report.segment.items, 1U);  // it is in both slots, and counts once
  EXPECT_THAT(report.problems, testing::Contains("slot 0, ticket 0: moving, and its owner is " + dead(pid)));
  expect_recovery(channel);
  EXPECT_EQ(look().segment.items, 1U);
}

TEST_F(DeadProcess, ThatWasTheLastLeavesAStaleSegment) {
  make(strings(), 2).reset();
  const pid_t pid = run_to_death([](const detail::core_handle&) { ::raise(SIGKILL); });
  const inspect::segment_report report = inspect::look_at(name());
  EXPECT_EQ(report.state, segment_state::stale);
  EXPECT_EQ(report.why, fmt::format("only dead processes hold it: pid {}", pid));
}

TEST_F(DeadProcess, LeavesItsUnnamedChannelsStale) {
  with_memory_of("16m", [this] {  // where no session that starts removes them
    make(strings(), 2).reset();
    const pid_t pid = run_to_death([](const detail::core_handle&) {
      const auto unnamed = detail::create_unnamed(ints(), 1, {}, {});
      ::raise(SIGKILL);
    });
    const auto found = inspect::list("@*");
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(found.front().state, segment_state::stale);
    EXPECT_EQ(found.front().header->creator.pid, pid);
    EXPECT_EQ(found.front().header->creator_life, shm::liveness::dead);
  });
}

TEST_F(DeadProcess, IsNotSeenWhereAllLiveAndWorkAsFastAsTheyCan) {
  const auto channel = make(strings(), 3);
  const auto put_for_ever = [&] {
    const auto own = detail::open_named(name(), strings());
    for (std::size_t i = 0;; ++i) {
      const std::vector<std::byte> bytes(i % 3 == 0 ? kLong : 8, std::byte{'y'});
      const std::span<const std::byte> part(bytes);
      (void)detail::put(*own, detail::payload{{&part, 1}, false}, detail::deadline::never());
    }
    return 0;
  };
  const auto take_for_ever = [&] {
    const auto own = detail::open_named(name(), strings());
    for (std::size_t i = 0;; ++i) {
      detail::taken_item item;
      (void)detail::take(own, item, detail::deadline::never(), i % 2 == 0 ? detail::hold::view : detail::hold::copy);
    }
    return 0;
  };
  const child putter(put_for_ever);
  const child taker(take_for_ever);
  while (look().participants.size() < 3) continue;
  for (int round = 0; round < 300; ++round) {
    const inspect::channel_report report = look();
    EXPECT_THAT(report.problems, IsEmpty());
    EXPECT_LE(*report.segment.items, 3U);
    for (const inspect::slot_report& slot : report.slots) {
      if (!slot.whole || !slot.has_item || slot.phase != phase::full) continue;
      EXPECT_TRUE(slot.block ? slot.bytes == kLong || slot.bytes == 8 : slot.bytes == 8) << slot.bytes;
    }
  }
}

}  // namespace
}  // namespace weir::tests
