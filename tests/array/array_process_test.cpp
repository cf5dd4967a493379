// SPDX-License-Identifier: BSL-1.0
// Arrays among processes that come, go, fork and are killed.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include "array/array_core.hpp"
#include "array/attach.hpp"
#include "faults/own_pids.hpp"
#include "segment/segment.hpp"
#include "support/child.hpp"
#include "support/names.hpp"
#include "support/session.hpp"
#include "weir/array.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;

class ArrayProcesses : public NamedSegments {
 protected:
  /// A process that does this, says so in the array's first element, and stops until it is killed.
  template <class F>
  [[nodiscard]] child after(F f) const {
    return child([this, f] {
      const auto a = weir::array<int>::open(name());
      f(a);
      a.atomic(0) = 1;
      for (;;) ::pause();
      return 0;
    });
  }
};

TEST_F(ArrayProcesses, WriteWhereTheOthersRead) {
  const auto a = weir::array<int>::create(name(), 3);
  child other([&] {
    const auto b = weir::array<int>::open(name());
    b(1) = 42;
    return 0;
  });
  EXPECT_EQ(other.wait(), 0);
  EXPECT_EQ(a(1), 42);
}

TEST_F(ArrayProcesses, KilledWhileHoldingTheLockLetGoOfItAndTheNextIsToldOnce) {
  const auto a = weir::array<int>::create(name(), 3);
  {
    child holder = after([](const auto& b) {
      b.mutex().lock();
      b(1) = 7;
    });
    ASSERT_TRUE(comes_true([&] { return a.atomic(0) == 1; }));
    EXPECT_FALSE(a.mutex().try_lock());
    EXPECT_FALSE(a.mutex().try_lock_shared());
    EXPECT_FALSE(a.mutex().owner_died());
    ::kill(holder.pid(), SIGKILL);
    std::unique_lock lock(a.mutex(), 10s);
    ASSERT_TRUE(lock.owns_lock());
    EXPECT_TRUE(a.mutex().owner_died());
    EXPECT_FALSE(a.mutex().owner_died());
    EXPECT_EQ(a(1), 7);
  }
  EXPECT_TRUE(a.mutex().try_lock_shared());
  a.mutex().unlock_shared();
}

TEST_F(ArrayProcesses, KilledWhileSharingTheLockAreNotWaitedFor) {
  const auto a = weir::array<int>::create(name(), 3);
  child holder = after([](const auto& b) { b.mutex().lock_shared(); });
  ASSERT_TRUE(comes_true([&] { return a.atomic(0) == 1; }));
  EXPECT_FALSE(a.mutex().try_lock());
  ::kill(holder.pid(), SIGKILL);
  std::unique_lock lock(a.mutex(), 10s);
  EXPECT_TRUE(lock.owns_lock());
  EXPECT_FALSE(a.mutex().owner_died());
}

TEST_F(ArrayProcesses, ThatDoNotExistHoldNoLock) {
  const auto a = weir::array<int>::create(name(), 4);
  const int file = ::open(path().c_str(), O_RDWR | O_CLOEXEC);
  constexpr std::uint32_t kNoThread = 0x3fff'fff0;
  for (const std::size_t offset : {offsetof(arrays::array_header, gate), offsetof(arrays::array_header, resizing)}) {
    ASSERT_EQ(::pwrite(file, &kNoThread, sizeof kNoThread, static_cast<off_t>(arrays::kHeaderOffset + offset)), 4);
  }
  ::close(file);
  EXPECT_THROW(a.mutex().lock(), corrupt_segment);
  EXPECT_THROW(a.resize_rows(5), corrupt_segment);
}

TEST_F(ArrayProcesses, StoppedWithTheLockAreWaitedFor) {
  const auto a = weir::array<int>::create(name(), 3);
  child holder = after([](const auto& b) { b.mutex().lock_shared(); });
  ASSERT_TRUE(comes_true([&] { return a.atomic(0) == 1; }));
  ::kill(holder.pid(), SIGSTOP);
  EXPECT_FALSE(a.mutex().try_lock_for(300ms));
}

TEST_F(ArrayProcesses, OfAnotherPidNamespaceAreWaitedForAliveAndNotDead) {
  const auto a = weir::array<int>::create(name(), 3);
  const std::jthread outside([a] {  // where the holder's pid is another one's or nobody's
    if (!comes_true([&] { return a.atomic(1) == 1; })) return;
    EXPECT_FALSE(a.mutex().try_lock_for(250ms));
    a.atomic(2) = 1;
  });
  in_own_pids([&] {
    child holder = after([](const auto& b) { b.mutex().lock_shared(); });
    ASSERT_TRUE(comes_true([&] { return weir::array<int>::open(name()).atomic(0) == 1; }));
    weir::array<int>::open(name()).atomic(1) = 1;
    ASSERT_TRUE(comes_true([&] { return weir::array<int>::open(name()).atomic(2) == 1; }));
    ::kill(holder.pid(), SIGKILL);
    holder.wait();
  });
  std::unique_lock lock(a.mutex(), 10s);
  EXPECT_TRUE(lock.owns_lock());
}

TEST_F(ArrayProcesses, ForkedMayUseTheElementsButNothingElseOfAHandle) {
  const auto a = weir::array<int>::create(name(), 3);
  child forked([&] {
    a(1) = 5;
    int refused = 0;
    const auto expect_refusal = [&](auto f) {
      try {
        f();
      } catch (const invalid_argument& e) {
        refused += std::string(e.what()).find("came through fork()") != std::string::npos ? 1 : 0;
      }
    };
    expect_refusal([&] { static_cast<void>(a.size()); });
    expect_refusal([&] { static_cast<void>(a.at(0)); });
    expect_refusal([&] { static_cast<void>(a.lock()); });
    expect_refusal([&] { a.resize_rows(5); });
    expect_refusal([&] { static_cast<void>(a.name()); });
    const auto own = weir::array<int>::open(name());  // what it may do
    own(2) = own.size() == 3 ? 6 : 0;
    return refused == 5 ? 0 : 1;
  });
  EXPECT_EQ(forked.wait(), 0);
  EXPECT_EQ(a(1), 5);
  EXPECT_EQ(a(2), 6);
}

TEST_F(ArrayProcesses, ForkedWithALockHeldDoNotLetGoOfIt) {
  const auto a = weir::array<int>::create(name(), 3);
  auto alone = a.lock();
  child([&] {
    alone.unlock();
    return 0;
  }).wait();
  std::jthread([a] {
    EXPECT_FALSE(a.mutex().try_lock());
    EXPECT_FALSE(a.mutex().try_lock_shared());
  }).join();
}

TEST_F(ArrayProcesses, ForkedNeitherKeepNorTakeAwayAnUnnamedArray) {
  std::string segment;
  {
    const weir::array<int> a(3);
    segment = a.name();
    child([copy = a] { return 0; }).wait();
    EXPECT_EQ(shm::list_segments(segment).size(), 1U);
  }
  EXPECT_TRUE(shm::list_segments(segment).empty());
}

TEST_F(ArrayProcesses, LastToLeaveTakesAnUnnamedArrayAway) {
  weir::channel<weir::array<int>> there = weir::channel<weir::array<int>>::create(name("there"), 1);
  weir::channel<int> go = weir::channel<int>::create(name("go"), 1);
  std::string segment;
  child other([&] {
    auto from = weir::channel<weir::array<int>>::open(name("there"));
    auto to = weir::channel<int>::open(name("go"));
    const auto a = from.take();
    to.put(a(2));
    to.put(1);
    to.put(1);
    return a(2) == 9 ? 0 : 1;
  });
  {
    const weir::array<int> a(3);
    a(2) = 9;
    segment = a.name();
    there.put(a);
    EXPECT_EQ(go.take(), 9);
  }
  EXPECT_EQ(shm::list_segments(segment).size(), 1U);
  go.take();
  go.take();
  EXPECT_EQ(other.wait(), 0);
  EXPECT_TRUE(shm::list_segments(segment).empty());
}

TEST_F(ArrayProcesses, OpenAndLeaveAllTheTimeWithoutLosingTheArrayOrASeat) {
  const auto a = weir::array<long>::create(name(), 2);
  constexpr int kTimes = 300;
  const auto work = [&] {
    for (int i = 0; i < kTimes; ++i) weir::array<long>::open(name()).atomic(1) += 1;
    return 0;
  };
  child one(work);
  child two(work);
  child three(work);
  EXPECT_EQ(one.wait() | two.wait() | three.wait(), 0);
  EXPECT_EQ(a(1), 3 * kTimes);
  const auto core = detail::attach_array_segment("open", name(), nullptr);
  EXPECT_LE(core->header().seats_high.load(), 8U);
}

TEST_F(ArrayProcesses, SendAnUnnamedArrayRoundWithoutLosingIt) {
  auto there = weir::channel<weir::array<long>>::create(name("there"), 1);
  auto back = weir::channel<weir::array<long>>::create(name("back"), 1);
  constexpr int kRounds = 200;
  child other([&] {
    auto from = weir::channel<weir::array<long>>::open(name("there"));
    auto to = weir::channel<weir::array<long>>::open(name("back"));
    for (int i = 0; i < kRounds; ++i) {
      auto a = from.take();
      a(0) += 1;
      to.put(a);  // and goes
    }
    return 0;
  });
  weir::array<long> a(1);
  const std::string segment = a.name();
  for (int i = 0; i < kRounds; ++i) {
    there.put(a);
    a = {};
    a = back.take();
    ASSERT_EQ(a(0), i + 1);
  }
  EXPECT_EQ(other.wait(), 0);
  a = {};
  EXPECT_TRUE(shm::list_segments(segment).empty());
}

}  // namespace
}  // namespace weir::tests
