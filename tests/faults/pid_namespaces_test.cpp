// SPDX-License-Identifier: BSL-1.0
// A channel between processes of two pid namespaces, where the pid of one means nothing to the other: a living process
// is never robbed, and a dead one's things come back all the same.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "faults/own_pids.hpp"
#include "segment/process_identity.hpp"
#include "support/child.hpp"
#include "support/crash.hpp"
#include "support/names.hpp"
#include "support/patience.hpp"
#include "support/session.hpp"
#include "weir/channel.hpp"
#include "weir/error.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;
using numbers = std::vector<int>;

enum class step : int { begun, holds, may_go_on };

/// How far the process elsewhere is; both sides see it.
class progress {
 public:
  progress()
      : at_(static_cast<std::atomic<step>*>(
            ::mmap(nullptr, sizeof(std::atomic<step>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;
  ~progress() { ::munmap(at_, sizeof *at_); }
  void set(step to) const { at_->store(to); }
  [[nodiscard]] bool is(step wanted) const { return at_->load() == wanted; }
  [[nodiscard]] bool await(step wanted) const {
    return comes_true([&] { return is(wanted); });
  }

 private:
  std::atomic<step>* at_;
};

class PidNamespaces : public NamedSegments {
 protected:
  static void SetUpTestSuite() {
    if (run_in_own_pids([] { return 0; }) == kForbidden) GTEST_SKIP() << "the kernel allows no pid namespace here";
  }
  static bool is_whole(const auto& items, std::size_t length) {
    numbers expected(length);
    std::iota(expected.begin(), expected.end(), 1);
    return std::equal(items.begin(), items.end(), expected.begin(), expected.end());
  }
  static numbers whole(std::size_t length) {
    numbers made(length);
    std::iota(made.begin(), made.end(), 1);
    return made;
  }
  /// Runs in a process that is not the first of its pid namespace, since that one cannot be killed from within.
  static int run_elsewhere(const std::function<int()>& run) {
    return run_in_own_pids([&] {
      child one([&] { return run(); });
      const int status = one.wait();
      return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    });
  }
  progress progress_;
};

constexpr std::size_t kSmall = 4;
constexpr std::size_t kLarge = 40'000;

TEST_F(PidNamespaces, AreTwo) {
  const shm::process_identity here = shm::this_process();
  EXPECT_EQ(run_elsewhere([&] {
              const shm::process_identity there = shm::this_process();
              if (there.pid_namespace == here.pid_namespace || there.pid != ::getpid() || there.pid > 3) return 1;
              return shm::look(here) == shm::liveness::unknown ? 0 : 2;
            }),
            0);
}

TEST_F(PidNamespaces, LetALivingReaderKeepItsView) {
  for (const std::size_t length : {kSmall, kLarge}) {
    auto ch = channel<numbers>::open_or_create(name(), 2);
    progress_.set(step::begun);
    ch.put(whole(length));
    std::thread reader([&] {
      EXPECT_EQ(run_elsewhere([&] {
                  auto mine = channel<numbers>::open(name());
                  const auto view = mine.take_view();
                  progress_.set(step::holds);
                  if (!progress_.await(step::may_go_on)) return 1;
                  return is_whole(view, length) ? 0 : 2;
                }),
                0);
    });
    ASSERT_TRUE(progress_.await(step::holds));
    EXPECT_FALSE(ch.take_for(kAfterDeathsAreFound).has_value());
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(ch.put_for(numbers(length, -1), kWatchdog));
      ASSERT_EQ(ch.take().back(), -1);
    }
    progress_.set(step::may_go_on);
    reader.join();
  }
}

TEST_F(PidNamespaces, LetALivingWriterKeepItsLoan) {
  auto ch = channel<numbers>::create(name(), 1);
  std::thread writer([&] {
    EXPECT_EQ(run_elsewhere([&] {
                auto mine = channel<numbers>::open(name());
                auto loan = mine.loan(kLarge);
                std::iota(loan.begin(), loan.end(), 1);
                progress_.set(step::holds);
                if (!progress_.await(step::may_go_on)) return 1;
                mine.put(std::move(loan));
                return 0;
              }),
              0);
  });
  ASSERT_TRUE(progress_.await(step::holds));
  for (const auto until = std::chrono::steady_clock::now() + kAfterDeathsAreFound;
       std::chrono::steady_clock::now() < until;) {
    ASSERT_TRUE(ch.put_for(numbers(kLarge, -1), kWatchdog));
    ASSERT_EQ(ch.take().back(), -1);
  }
  progress_.set(step::may_go_on);
  EXPECT_EQ(ch.take_for(kWatchdog), whole(kLarge));
  writer.join();
}

/// A named channel is not removed, an unnamed one not either, under those who are elsewhere.
TEST_F(PidNamespaces, KeepAnUnnamedChannelForALivingProcess) {
  auto ch = std::make_unique<channel<int>>(2);
  const std::string reference = ch->name();
  std::thread holder([&] {
    EXPECT_EQ(run_elsewhere([&] {
                const auto mine = detail::attach(reference, detail::codec<int>::type());
                progress_.set(step::holds);
                if (!progress_.await(step::may_go_on)) return 1;
                return shm::list_segments(reference).size() == 1 ? 0 : 2;
              }),
              0);
  });
  ASSERT_TRUE(progress_.await(step::holds));
  ch->put(1);
  ch.reset();
  progress_.set(step::may_go_on);
  holder.join();
  EXPECT_TRUE(shm::list_segments(reference).empty());
}

TEST_F(PidNamespaces, GiveBackWhatADeadTakerHadClaimed) {
  auto ch = channel<int>::create(name(), 2);
  ch.put(1);
  EXPECT_EQ(run_elsewhere([&] {
              auto mine = channel<int>::open(name());
              die_at("ring.take.claimed");
              return mine.take();
            }),
            128 + SIGKILL);
  EXPECT_EQ(ch.take_for(kWatchdog), 1);
}

TEST_F(PidNamespaces, FreeTheSlotOfADeadPutter) {
  auto ch = channel<int>::create(name(), 1);
  EXPECT_EQ(run_elsewhere([&] {
              auto mine = channel<int>::open(name());
              die_at("ring.put.claimed");
              mine.put(1);
              return 0;
            }),
            128 + SIGKILL);
  EXPECT_TRUE(ch.put_for(2, kWatchdog));
  EXPECT_EQ(ch.take_for(kWatchdog), 2);
}

TEST_F(PidNamespaces, GiveBackWhatADeadReaderWasViewing) {
  auto ch = channel<numbers>::create(name(), 2);
  for (const std::size_t length : {kSmall, kLarge}) {
    ch.put(whole(length));
    EXPECT_EQ(run_elsewhere([&] {
                auto mine = channel<numbers>::open(name());
                const auto view = mine.take_view();
                ::raise(SIGKILL);
                return 0;
              }),
              128 + SIGKILL);
    EXPECT_EQ(ch.take_for(kWatchdog), whole(length));
  }
}

/// A child that it has forked has its sign of life too, so its death is seen later.
TEST_F(PidNamespaces, GiveBackWhatADeadReaderWasViewingWhenItsForkedChildHasEnded) {
  auto ch = channel<numbers>::create(name(), 2);
  ch.put(whole(kSmall));
  std::thread holder([&] {
    EXPECT_EQ(run_in_own_pids([&] {
                child reader([&] {
                  auto mine = channel<numbers>::open(name());
                  const auto view = mine.take_view();
                  if (::fork() == 0) {
                    progress_.set(step::holds);
                    ::_exit(progress_.await(step::may_go_on) ? 0 : 1);
                  }
                  if (!progress_.await(step::holds)) return 1;
                  ::raise(SIGKILL);
                  return 0;
                });
                return WIFSIGNALED(reader.wait()) && ::wait(nullptr) > 0 ? 0 : 1;
              }),
              0);
  });
  ASSERT_TRUE(progress_.await(step::holds));
  EXPECT_FALSE(ch.take_for(kAfterDeathsAreFound).has_value());
  progress_.set(step::may_go_on);
  EXPECT_EQ(ch.take_for(kWatchdog), whole(kSmall));
  holder.join();
}

/// As `unshare --pid --fork` leaves it: /proc shows the pids of the namespace outside, where others have these numbers.
TEST_F(PidNamespaces, WithTheProcOfTheOuterOneTellTheLivingFromTheDead) {
  in_own_pids(
      [&] {
        const shm::process_identity self = shm::this_process();
        EXPECT_EQ(self.pid, ::getpid());
        child other([] {
          ::pause();
          return 0;
        });
        const shm::process_identity who = shm::identify(other.pid());
        EXPECT_EQ(who.pid, other.pid());
        EXPECT_EQ(shm::look(who), shm::liveness::alive);
        child inner([&] { return shm::look(self) == shm::liveness::alive ? 0 : 1; });
        EXPECT_EQ(inner.wait(), 0);
        ::kill(other.pid(), SIGKILL);
        while (!other.has_ended()) std::this_thread::sleep_for(1ms);
        EXPECT_EQ(shm::look(who), shm::liveness::dead);  // a zombie
        other.wait();
        EXPECT_EQ(shm::look(who), shm::liveness::dead);

        auto ch = channel<numbers>::create(name(), 2);
        ch.put(whole(kSmall));
        child reader([&] {
          auto mine = channel<numbers>::open(name());
          const auto view = mine.take_view();
          progress_.set(step::holds);
          return progress_.await(step::may_go_on) && is_whole(view, kSmall) ? 0 : 1;
        });
        ASSERT_TRUE(progress_.await(step::holds));
        EXPECT_FALSE(ch.take_for(kAfterDeathsAreFound).has_value());
        progress_.set(step::may_go_on);
        EXPECT_EQ(reader.wait(), 0);
      },
      proc_mount::outer);
}

/// Start times are counted from another moment there.
TEST_F(PidNamespaces, OfTimeToo) {
  auto ch = channel<numbers>::create(name(), 2);
  ch.put(whole(kSmall));
  child middle([&] {
    constexpr int kNewTime = 0x80;  // CLONE_NEWTIME
    if (::unshare(kNewTime) != 0) return errno == EPERM || errno == EINVAL ? kForbidden : 2;
    std::ofstream("/proc/self/timens_offsets") << "boottime 100000 0\n" << std::flush;
    child reader([&] {
      auto mine = channel<numbers>::open(name());
      const auto view = mine.take_view();
      progress_.set(step::holds);
      return progress_.await(step::may_go_on) && is_whole(view, kSmall) ? 0 : 1;
    });
    return WEXITSTATUS(reader.wait());
  });
  if (comes_true([&] { return progress_.is(step::holds) || middle.has_ended(); }) && !middle.has_ended()) {
    EXPECT_FALSE(ch.take_for(kAfterDeathsAreFound).has_value());
    progress_.set(step::may_go_on);
  }
  const int status = WEXITSTATUS(middle.wait());
  if (status == kForbidden) GTEST_SKIP() << "the kernel allows no time namespace here";
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace weir::tests
