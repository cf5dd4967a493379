// SPDX-License-Identifier: BSL-1.0
#include "segment/process_identity.hpp"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "support/child.hpp"

namespace weir::tests {
namespace {

using shm::liveness;

TEST(ProcessIdentity, OfThisProcessIsAlive) {
  EXPECT_EQ(shm::look(shm::this_process()), liveness::alive);
  EXPECT_EQ(shm::identify(::getpid()), shm::this_process());
}

TEST(ProcessIdentity, OfNobodyIsDead) { EXPECT_EQ(shm::look({}), liveness::dead); }

TEST(ProcessIdentity, IsAnotherInAForkedChild) {
  const shm::process_identity parent = shm::this_process();
  child other([&] { return shm::this_process() != parent && shm::this_process().pid == ::getpid() ? 0 : 1; });
  EXPECT_EQ(other.wait(), 0);
}

TEST(ProcessIdentity, OfAZombieIsDead) {
  child other([] { return 0; });
  const shm::process_identity who = shm::identify(other.pid());
  while (!other.has_ended()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(shm::look(who), liveness::dead);  // not reaped yet
  other.wait();
  EXPECT_EQ(shm::look(who), liveness::dead);
}

TEST(ProcessIdentity, OfAStoppedProcessIsAlive) {
  child other([] {
    ::pause();
    return 0;
  });
  const shm::process_identity who = shm::identify(other.pid());
  ::kill(other.pid(), SIGSTOP);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(shm::look(who), liveness::alive);
}

TEST(ProcessIdentity, OfAProcessWhoseFirstThreadReturnedIsAlive) {
  child other([] {
    std::thread([] { std::this_thread::sleep_for(std::chrono::seconds(30)); }).detach();
    ::syscall(SYS_exit, 0);  // this thread only
    return 1;
  });
  const shm::process_identity who = shm::identify(other.pid());
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(shm::look(who), liveness::alive);
}

TEST(ProcessIdentity, IsNotThatOfALaterProcessWithTheSamePid) {
  shm::process_identity earlier = shm::this_process();
  earlier.start_time -= 1;
  EXPECT_EQ(shm::look(earlier), liveness::dead);
}

TEST(ProcessIdentity, InAnotherPidNamespaceIsUnknownAndSoNeverRobbed) {
  shm::process_identity elsewhere = shm::this_process();
  elsewhere.pid_namespace += 1;
  EXPECT_EQ(shm::look(elsewhere), liveness::unknown);
  EXPECT_FALSE(shm::is_dead(elsewhere));
}

}  // namespace
}  // namespace weir::tests
