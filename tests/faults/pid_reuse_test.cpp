// SPDX-License-Identifier: BSL-1.0
// A process dies holding something, and an unrelated one gets its pid: the dead one is known as dead all the same. In a
// pid namespace of the test's own, where the next pid can be chosen.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "faults/own_pids.hpp"
#include "segment/process_identity.hpp"
#include "support/child.hpp"
#include "support/crash.hpp"
#include "support/names.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;

constexpr auto kTwoTicks = 20ms;  // what start times are counted in: two processes within one cannot be told apart

/// The next process gets this pid, if it is free.
void set_next_pid(pid_t pid) {
  std::ofstream file("/proc/sys/kernel/ns_last_pid");
  file << pid - 1 << std::flush;
  ASSERT_TRUE(file.good());
}

/// Runs `holder` in a process that is then killed, and has `check` look while a later process has the same pid.
void with_pid_reused(const std::function<void()>& holder, const std::function<void()>& check) {
  child dead([&] {
    holder();
    ::raise(SIGKILL);
    return 0;
  });
  const pid_t pid = dead.pid();
  EXPECT_EQ(WTERMSIG(dead.wait()), SIGKILL);
  std::this_thread::sleep_for(kTwoTicks);
  set_next_pid(pid);
  const child later([] {
    ::pause();
    return 0;
  });
  ASSERT_EQ(later.pid(), pid);
  check();
}

class PidReuse : public NamedSegments {};

TEST_F(PidReuse, MakesNoDeadProcessAlive) {
  in_own_pids([&] {
    shm::process_identity earlier;
    with_pid_reused([] {}, [] {});
    child first([] {
      ::pause();
      return 0;
    });
    earlier = shm::identify(first.pid());
    EXPECT_EQ(shm::look(earlier), shm::liveness::alive);
    ::kill(first.pid(), SIGKILL);
    first.wait();
    EXPECT_EQ(shm::look(earlier), shm::liveness::dead);
    std::this_thread::sleep_for(kTwoTicks);
    set_next_pid(earlier.pid);
    const child later([] {
      ::pause();
      return 0;
    });
    ASSERT_EQ(later.pid(), earlier.pid);
    EXPECT_EQ(shm::look(earlier), shm::liveness::dead);
    EXPECT_EQ(shm::look(shm::identify(later.pid())), shm::liveness::alive);
  });
}

TEST_F(PidReuse, KeepsNoSlotOfADeadTaker) {
  in_own_pids([&] {
    auto ch = channel<int>::create(name(), 2);
    ch.put(1);
    with_pid_reused(
        [&] {
          auto mine = channel<int>::open(name());
          die_at("ring.take.claimed");
          mine.take();
        },
        [&] {
          EXPECT_EQ(ch.take_for(kWatchdog), 1);
          EXPECT_TRUE(ch.is_empty());
        });
  });
}

TEST_F(PidReuse, KeepsNoSlotOfADeadPutter) {
  in_own_pids([&] {
    auto ch = channel<int>::create(name(), 1);
    with_pid_reused(
        [&] {
          auto mine = channel<int>::open(name());
          die_at("ring.put.claimed");
          mine.put(1);
        },
        [&] {
          EXPECT_TRUE(ch.put_for(2, kWatchdog));
          EXPECT_EQ(ch.take_for(kWatchdog), 2);
        });
  });
}

TEST_F(PidReuse, KeepsNoViewOfADeadReader) {
  in_own_pids([&] {
    auto ch = channel<std::vector<int>>::create(name(), 1);
    for (const std::size_t length : {std::size_t{4}, std::size_t{40'000}}) {
      ch.put(std::vector<int>(length, 3));
      with_pid_reused(
          [&] {
            auto mine = channel<std::vector<int>>::open(name());
            const auto view = mine.take_view();
            ::raise(SIGKILL);
          },
          [&] { EXPECT_EQ(ch.take_for(kWatchdog), std::vector<int>(length, 3)); });
    }
  });
}

TEST_F(PidReuse, KeepsNoLockOfADeadProcess) {
  in_own_pids([&] {
    auto ch = channel<int>::create(name(), 1);
    with_pid_reused(
        [&] {
          auto mine = channel<int>::open(name());
          die_at("close.reason");
          mine.close("over");
        },
        [&] { EXPECT_EQ(channel<int>::open(name()).capacity(), 1U); });
    ch.put(1);
    EXPECT_EQ(ch.take(), 1);
  });
}

/// The later process with the pid of a dead one uses the same channel: it is taken neither for it nor for dead.
TEST_F(PidReuse, TakesNothingFromTheLivingOne) {
  in_own_pids([&] {
    auto ch = channel<std::vector<int>>::create(name(), 2);
    auto ready = channel<int>::create(name("ready"), 1);
    ch.put({1, 1, 1, 1});
    ch.put({2, 2, 2, 2});
    child dead([&] {
      auto mine = channel<std::vector<int>>::open(name());
      const auto view = mine.take_view();
      ::raise(SIGKILL);
      return 0;
    });
    const pid_t pid = dead.pid();
    dead.wait();
    std::this_thread::sleep_for(kTwoTicks);
    set_next_pid(pid);
    child later([&] {
      auto mine = channel<std::vector<int>>::open(name());
      const auto view = mine.take_view();
      channel<int>::open(name("ready")).put(view[0]);
      ::pause();
      return 0;
    });
    ASSERT_EQ(later.pid(), pid);
    const int kept = ready.take();
    EXPECT_EQ(ch.take_for(kWatchdog), std::vector<int>(4, 3 - kept));
    EXPECT_FALSE(ch.take_for(700ms).has_value());  // what the living one reads stays its own
    ::kill(later.pid(), SIGKILL);
    later.wait();
    EXPECT_EQ(ch.take_for(kWatchdog), std::vector<int>(4, kept));
  });
}

}  // namespace
}  // namespace weir::tests
