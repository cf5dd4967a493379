// SPDX-License-Identifier: BSL-1.0
#include "sync/robust_mutex.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <boost/interprocess/sync/scoped_lock.hpp>
#include <chrono>
#include <csignal>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "support/child.hpp"

namespace weir::tests {
namespace {

struct shared_state {
  sync::robust_mutex mutex;
  int value;
};

class RobustMutex : public testing::Test {
 protected:
  RobustMutex()
      : shared_(new (::mmap(nullptr, sizeof(shared_state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
                    shared_state{}) {
    shared_->mutex.make();
  }
  ~RobustMutex() override { ::munmap(shared_, sizeof(shared_state)); }
  shared_state* shared_;
};

TEST_F(RobustMutex, KeepsThreadsApart) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      for (int n = 0; n < 10'000; ++n) {
        const std::unique_lock lock(shared_->mutex);
        ++shared_->value;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(shared_->value, 40'000);
}

TEST_F(RobustMutex, IsHadAgainAfterItsOwnerDiedAndSaysSoOnce) {
  for (int round = 0; round < 3; ++round) {  // Boost's own mutex refuses from the first time on
    child owner([this] {
      shared_->mutex.lock();
      ::raise(SIGKILL);
      return 0;
    });
    owner.wait();
    shared_->mutex.lock();
    EXPECT_TRUE(shared_->mutex.take_damage());
    EXPECT_FALSE(shared_->mutex.take_damage());
    shared_->mutex.unlock();
  }
}

TEST_F(RobustMutex, TellsTheNextOneIfTheRepairerDiedToo) {
  for (int i = 0; i < 2; ++i) {
    child owner([this] {
      shared_->mutex.lock();
      ::raise(SIGKILL);
      return 0;
    });
    owner.wait();
  }
  ASSERT_TRUE(shared_->mutex.try_lock());
  EXPECT_TRUE(shared_->mutex.take_damage());
  shared_->mutex.unlock();
}

TEST_F(RobustMutex, IsNotTakenFromALivingOwner) {
  const std::unique_lock lock(shared_->mutex);
  child other([this] { return shared_->mutex.try_lock() ? 1 : 0; });
  EXPECT_EQ(other.wait(), 0);
  child patient([this] { return shared_->mutex.try_lock_for(std::chrono::milliseconds(30)) ? 1 : 0; });
  EXPECT_EQ(patient.wait(), 0);
}

TEST_F(RobustMutex, WorksWithBoostsScopedLock) {
  {
    const boost::interprocess::scoped_lock lock(shared_->mutex);
    EXPECT_TRUE(lock.owns());
  }
  const boost::interprocess::scoped_lock timed(shared_->mutex,
                                               std::chrono::steady_clock::now() + std::chrono::seconds(1));
  EXPECT_TRUE(timed.owns());
}

}  // namespace
}  // namespace weir::tests
