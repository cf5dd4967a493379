// SPDX-License-Identifier: BSL-1.0
// The array's own lock, among threads of one process.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

#include "support/session.hpp"
#include "weir/array.hpp"
#include "weir/error.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;

TEST(ArrayLock, LetsOneAtATimeChangeWhatItGuards) {
  const weir::array<long> a(2);
  constexpr int kTimes = 5'000;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([a] {
      for (int i = 0; i < kTimes; ++i) {
        const auto lock = a.lock();
        a(0) = a(0) + 1;
        a(1) = a(0);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(a(0), 4 * kTimes);
  EXPECT_EQ(a(1), 4 * kTimes);
}

TEST(ArrayLock, WaitedForByTheThreadThatHasItIsAClearError) {
  const weir::array<long> a(2);
  const auto lock = a.lock();
  EXPECT_THROW(a.mutex().lock(), invalid_argument);
  EXPECT_THROW(a.mutex().lock_shared(), invalid_argument);
  EXPECT_FALSE(a.mutex().try_lock());
}

TEST(ArrayLock, SharedHoldersNeverSeeAChangeHalfMade) {
  const weir::array<long> a(2);
  std::atomic<bool> over{false};
  std::atomic<int> torn{0};
  std::vector<std::jthread> readers;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&, a] {
      while (!over) {
        const auto lock = a.lock_shared();
        if (a(0) != a(1)) ++torn;
      }
    });
  }
  for (int i = 0; i < 3'000; ++i) {
    const auto lock = a.lock();
    a(0) = a(0) + 1;
    a(1) = a(1) + 1;
  }
  over = true;
  readers.clear();
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(a(1), 3'000);
}

TEST(ArrayLock, IsSharedByManyAtOnce) {
  const weir::array<int> a(1);
  const auto first = a.lock_shared();
  std::jthread([a] { EXPECT_TRUE(a.mutex().try_lock_shared()), a.mutex().unlock_shared(); }).join();
  EXPECT_FALSE(a.mutex().try_lock());
}

TEST(ArrayLock, HeldAloneIsRefusedToAllOthersUntilItIsReleased) {
  const weir::array<int> a(1);
  {
    const auto lock = a.lock();
    std::jthread([a] {
      EXPECT_FALSE(a.mutex().try_lock());
      EXPECT_FALSE(a.mutex().try_lock_shared());
      EXPECT_FALSE(a.mutex().try_lock_for(10ms));
      EXPECT_FALSE(a.mutex().try_lock_shared_until(std::chrono::system_clock::now() + 10ms));
    }).join();
  }
  std::unique_lock lock(a.mutex(), 10s);
  EXPECT_TRUE(lock.owns_lock());
}

TEST(ArrayLock, TimesOutNotSoonerThanAsked) {
  const weir::array<int> a(1);
  const auto shared = a.lock_shared();
  EXPECT_GE(milliseconds_of([&] { EXPECT_FALSE(a.mutex().try_lock_for(150ms)); }), 150);
  EXPECT_TRUE(a.mutex().try_lock_shared());  // who gave up is in nobody's way
  a.mutex().unlock_shared();
}

TEST(ArrayLock, IsGivenToAWriterAlthoughReadersKeepComing) {
  const weir::array<int> a(1);
  std::atomic<bool> over{false};
  std::vector<std::jthread> readers;
  for (int t = 0; t < 2; ++t) {
    readers.emplace_back([&, a] {
      while (!over) {
        const auto lock = a.lock_shared();
        std::this_thread::yield();
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    std::unique_lock lock(a.mutex(), kPatience);
    ASSERT_TRUE(lock.owns_lock());
  }
  over = true;
}

TEST(ArrayLock, OfTwoArraysIsTakenTogetherByScopedLock) {
  const weir::array<int> a(1);
  const weir::array<int> b(1);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([a, b, t] {
      for (int i = 0; i < 500; ++i) {
        const std::scoped_lock both(t == 0 ? a.mutex() : b.mutex(), t == 0 ? b.mutex() : a.mutex());
        a(0) = a(0) + 1;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(a(0), 1'000);
}

TEST(ArrayLock, SaysThatNobodyDiedWhenNobodyDid) {
  const weir::array<int> a(1);
  { const auto lock = a.lock(); }
  const auto lock = a.lock();
  EXPECT_FALSE(a.mutex().owner_died());
}

}  // namespace
}  // namespace weir::tests
