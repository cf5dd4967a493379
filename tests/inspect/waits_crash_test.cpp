// SPDX-License-Identifier: BSL-1.0
// A worker is killed wherever it says what it runs and waits for: the others go on, and nobody takes what it left for true.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>

#include "inspect/waits.hpp"
#include "support/crash.hpp"
#include "support/session.hpp"
#include "weir/array.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

void plan_death(std::string point) { die_at(point); }
int one() { return 1; }
void lock_twice(array<int> a) {
  for (int i = 0; i < 2; ++i) const auto lock = a.lock();
}

class NotesCrash : public SessionTest, public testing::WithParamInterface<const char*> {
 protected:
  /// Nothing is said of the dead, and another worker is as good as before.
  void expect_all_is_well(const worker& dead) {
    EXPECT_TRUE(comes_true([&] { return !dead.is_alive(); }));
    const inspect::live_look look = inspect::look_at_everything();
    for (const auto& each : look.waits) EXPECT_FALSE(each.realm == realm() && each.process == dead.id()) << each.text;
    for (const auto& session : look.sessions) {
      if (session.realm != realm()) continue;
      for (std::size_t i = 0; i < session.live.size(); ++i) {
        if (session.report.processes[i].id != dead.id()) continue;
        EXPECT_TRUE(session.live[i].runs.empty());
      }
    }
    EXPECT_EQ(start(1).front().fetch(one), 1);
  }
};

class RunNotesCrash : public NotesCrash {};
TEST_P(RunNotesCrash, OfACallTellsTheCallerAndLeavesNothing) {
  const auto victim = start(1).front();
  victim.fetch(plan_death, std::string(GetParam()));
  EXPECT_TRUE(comes_true([&] {  // the first passing may be the end of the call that planned it
    try {
      victim.fetch(one);
      return false;
    } catch (const worker_died&) {
      return true;
    }
  }));
  expect_all_is_well(victim);
}
INSTANTIATE_TEST_SUITE_P(Points, RunNotesCrash, testing::Values("run.described", "run.noted", "run.over"));

class WaitNotesCrash : public NotesCrash {};
TEST_P(WaitNotesCrash, OfALockLeavesTheLockToOthers) {
  const auto victim = start(1).front();
  array<int> numbers({4});
  victim.fetch(plan_death, std::string(GetParam()));
  auto lock = numbers.lock();
  const auto answer = victim.call(lock_twice, numbers);
  const std::string point = GetParam();
  if (point == "waits.leaving" || point == "waits.left") {  // it has to come to waiting first
    EXPECT_TRUE(comes_true([&] {
      const auto look = inspect::look_at_everything();
      return std::any_of(look.waits.begin(), look.waits.end(), [&](const auto& each) {
        return each.realm == realm() && each.what == inspect::wait_what::array_lock;
      });
    }));
    lock.unlock();
  }
  EXPECT_THROW(answer.get(), worker_died);
  if (lock.owns_lock()) lock.unlock();
  expect_all_is_well(victim);
  const auto again = numbers.lock();
}
// Another thread of the worker takes the listening over when one waits: it is, or was, idle.
INSTANTIATE_TEST_SUITE_P(Points, WaitNotesCrash,
                         testing::Values("waits.claiming", "waits.claimed", "waits.described", "waits.entered",
                                         "waits.leaving", "waits.left"));

class IdleNotesCrash : public NotesCrash {};
TEST_P(IdleNotesCrash, OfASpareThreadTellsTheCallerAndLeavesNothing) {
  const auto victim = start(1).front();
  victim.fetch(plan_death, std::string(GetParam()));
  EXPECT_TRUE(comes_true([&] {
    try {
      channel<int> items(1);
      const auto waits = victim.call([](channel<int> from) { return from.take(); }, items);
      items.put(victim.fetch(one));  // a second thread serves it, and is not needed any more after
      return waits.get() == 0;
    } catch (const worker_died&) {
      return true;
    }
  }));
  expect_all_is_well(victim);
}
INSTANTIATE_TEST_SUITE_P(Points, IdleNotesCrash, testing::Values("waits.idle", "waits.not_idle"));

}  // namespace
}  // namespace weir::tests
