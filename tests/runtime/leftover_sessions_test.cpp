// SPDX-License-Identifier: BSL-1.0
// What goes and what stays of a session whose processes are killed.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <chrono>
#include <cstddef>
#include <fstream>
#include <functional>
#include <optional>
#include <thread>

#include "runtime/session_table.hpp"
#include "segment/names.hpp"
#include "segment/process_identity.hpp"
#include "support/leftovers.hpp"
#include "support/session.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;
using runtime::fate;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

int pid() { return static_cast<int>(::getpid()); }
void wait_for_ever() {
  for (;;) std::this_thread::sleep_for(1h);
}

/// A control process with one worker.
class control_process {
 public:
  /// `prepare` runs in the control process.
  explicit control_process(const std::function<void(const worker&)>& prepare = [](const worker&) {})
      : told_(channel<int>::create("told", 1)), process_([prepare] {
          session s;
          const worker w = s.add_workers(1).front();
          const int its_pid = w.fetch(pid);
          prepare(w);
          channel<int>::open("told").put(its_pid);
          wait_for_ever();
          return 0;
        }) {
    worker_ = shm::identify(told_.take());
    channel<int>::remove("told");
  }
  /// None of them gets to clear up: the worker dies while the control process is stopped, and then that one.
  void kill_all() {
    ::kill(process_.pid(), SIGSTOP);
    siginfo_t info{};
    EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(process_.pid()), &info, WSTOPPED | WNOWAIT), 0);
    ::kill(worker_.pid, SIGKILL);
    EXPECT_TRUE(comes_true([&] { return shm::is_dead(worker_); }));
    ::kill(process_.pid(), SIGKILL);
    process_.wait();
  }

 private:
  channel<int> told_;
  child process_;
  shm::process_identity worker_;
};

std::vector<std::string> kinds_of(const std::vector<runtime::leftover>& all, fate what) {
  std::vector<std::string> kinds;
  for (const auto& each : all) {
    if (each.what == what) kinds.emplace_back(each.kind);
  }
  return kinds;
}

TEST(ASession, WithoutWorkersGoesWithItsControlProcess) {
  in_own_memory([] {
    killed_after([] {
      const session s;
      const channel<int> held(4);
      ::raise(SIGKILL);
    });
    ASSERT_THAT(segments(), SizeIs(4));
    const auto done = sweep_all();
    EXPECT_THAT(kinds_of(done, fate::removed),
                testing::UnorderedElementsAre("channel", "channel", "results", "session"));
    EXPECT_THAT(segments(), IsEmpty());
  });
}

/// Enters a process into the table of a session as its only worker.
void enter_worker(const std::string& table_name, const shm::process_identity& who) {
  const shm::segment table = shm::segment::open("forge", table_name, shm::object_kind::session);
  constexpr process_id kWorker = kControlProcess + 1;
  auto* const entry =
      new (table.at<runtime::process_entry>(runtime::kEntriesOffset) + kWorker) runtime::process_entry{};
  entry->id.store(kWorker);
  entry->who = who;
  entry->state.store(runtime::worker_state::running);
  table.at<runtime::session_header>(runtime::kSessionHeaderOffset)->next_id.store(kWorker + 1);
}

/// What a session leaves whose control process was killed and whose only worker, a process of the test's, still lives.
class half_dead_session {
 public:
  half_dead_session()
      : worker_([] {
          for (;;) ::pause();
          return 0;
        }) {
    const auto others = segments();
    killed_after([] {
      const session s;
      ::raise(SIGKILL);
    });
    for (const std::string& name : segments()) {
      if (std::find(others.begin(), others.end(), name) == others.end()) segments_.push_back(name);
    }
    enter_worker(segments_.back(), shm::identify(worker_.pid()));
  }
  [[nodiscard]] const std::vector<std::string>& names() const { return segments_; }
  [[nodiscard]] pid_t worker_pid() const { return worker_.pid(); }
  void kill_worker() {
    ::kill(worker_.pid(), SIGKILL);
    worker_.wait();
  }

 private:
  child worker_;
  std::vector<std::string> segments_;
};

TEST(ASession, StaysAsLongAsAWorkerLives) {
  in_own_memory([] {
    half_dead_session half_dead;
    const auto all = half_dead.names();
    ASSERT_THAT(all, SizeIs(3));  // inbox, results, table
    const auto kept = sweep_all();
    EXPECT_EQ(segments(), all);
    EXPECT_THAT(names_of(kept, fate::kept), SizeIs(2));
    EXPECT_THAT(names_of(kept, fate::released), ElementsAre(all.front()));  // the inbox, of its dead owner
    EXPECT_EQ(kept.back().why, fmt::format("pid {} of its session lives", half_dead.worker_pid()));
    half_dead.kill_worker();
    const auto done = sweep_all();
    EXPECT_EQ(names_of(done, fate::removed), all);
    EXPECT_EQ(done.back().why, "all processes of its session are dead");
    EXPECT_THAT(segments(), IsEmpty());
  });
}

TEST(ASession, WithWorkersGoesWhenAllOfThemAreDead) {
  in_own_memory([] {
    control_process control;
    control.kill_all();
    const auto all = segments();
    ASSERT_THAT(all, SizeIs(5));  // two inboxes, two results, the table
    EXPECT_EQ(names_of(sweep_all(), fate::removed), all);
    EXPECT_THAT(segments(), IsEmpty());
  });
}

TEST(ASession, LeavesNoLargeMessagesAndResultsBehind) {
  in_own_memory([] {
    control_process control([](const worker& w) {
      const channel<int> never(1);
      w.post([](channel<int> c) { c.take(); }, never);  // waits in weir: the next call runs
      static const auto kept = w.call([] { return std::vector<double>(3'000'000); });
      kept.wait();
      w.post([] { ::raise(SIGSTOP); });
      // Larger than an inbox's blocks: in a segment of its own, which the stopped worker does not read.
      w.post([](const std::vector<double>&) {}, std::vector<double>(3'000'000));
    });
    control.kill_all();
    EXPECT_THAT(kinds_of(sweep_all(), fate::removed), Contains("blob"));
    EXPECT_THAT(segments(), IsEmpty());
  });
}

TEST(ASession, ThatLivesKeepsWhatReferencesKeepAndLosesTheRest) {
  in_own_memory([] {
    session s;
    const auto ws = s.add_workers(2);
    const std::string held = ws[0].fetch([] {
      static const channel<int> mine(1);
      return mine.name();
    });
    const std::string pinned = ws[0].fetch([] {
      static const channel<int> mine(1);
      detail::pin(*detail::attach(mine.name(), detail::codec<int>::type()));
      return mine.name();
    });
    EXPECT_THAT(names_of(sweep_all(), fate::removed), IsEmpty());
    ::kill(ws[0].fetch(pid), SIGKILL);
    EXPECT_TRUE(comes_true([&] { return !ws[0].is_alive(); }));
    const auto done = sweep_all();
    EXPECT_THAT(names_of(done, fate::removed), ElementsAre(held));
    EXPECT_EQ(of(done, pinned).what, fate::released);  // it stays: it may be in some message
    EXPECT_EQ(ws[1].fetch(my_id), 3U);
  });
}

TEST(ASession, WhoseProcessesAreDeadTakesDamagedSegmentsWithIt) {
  in_own_memory([] {
    killed_after([] {
      const session s;
      ::raise(SIGKILL);
    });
    for (const std::string& name : segments()) {
      if (name.ends_with(".session")) continue;
      ASSERT_EQ(::truncate(path_of(name).c_str(), 100), 0);
    }
    const auto done = sweep_all();
    EXPECT_THAT(names_of(done, fate::removed), SizeIs(3));
    EXPECT_THAT(done.front().why, HasSubstr("damaged (the file has 100 bytes"));
    EXPECT_THAT(segments(), IsEmpty());
  });
}

TEST(ASession, WhoseTableCannotBeReadStays) {
  in_own_memory([] {
    killed_after([] {
      const session s;
      ::raise(SIGKILL);
    });
    const std::string table = segments().back();
    ASSERT_TRUE(table.ends_with(".session"));
    const shm::unique_fd file(::open(path_of(table).c_str(), O_WRONLY | O_CLOEXEC));
    const std::uint64_t other_bytes = runtime::kSessionFileBytes + shm::kPage;
    ASSERT_EQ(::ftruncate(file.get(), static_cast<off_t>(other_bytes)), 0);
    ASSERT_EQ(::pwrite(file.get(), &other_bytes, sizeof other_bytes, offsetof(shm::segment_header, file_bytes)),
              static_cast<ssize_t>(sizeof other_bytes));
    const auto before = segments();
    EXPECT_THAT(names_of(sweep_all(), fate::undecided), before);
    EXPECT_EQ(segments(), before);
  });
}

TEST(ASession, WhoseTableHasGoneIsJudgedByWhoMadeItsSegments) {
  in_own_memory([] {
    killed_after([] {
      const session s;
      ::raise(SIGKILL);
    });
    shm::segment::remove("remove", segments().back());
    EXPECT_THAT(kinds_of(sweep_all(), fate::removed), testing::UnorderedElementsAre("channel", "results"));
    EXPECT_THAT(segments(), IsEmpty());
  });
}

TEST(ASession, OfAnotherPidIsToldApartByItsStartTime) {
  in_own_memory([] {
    killed_after([] {
      const session s;
      ::raise(SIGKILL);
    });
    const auto all = segments();
    shm::process_identity who = shm::this_process();
    const auto claim = [&] {
      for (const std::string& name : all) {
        const shm::unique_fd file(::open(path_of(name).c_str(), O_WRONLY | O_CLOEXEC));
        ASSERT_EQ(::pwrite(file.get(), &who, sizeof who, offsetof(shm::segment_header, creator)),
                  static_cast<ssize_t>(sizeof who));
      }
    };
    claim();
    EXPECT_THAT(names_of(sweep_all(), fate::removed), IsEmpty());
    who.start_time -= 1;
    claim();
    EXPECT_THAT(names_of(sweep_all(), fate::removed), all);
  });
}

TEST(ASession, ThatStartsRemovesThoseWhoseProcessesAreDeadOnly) {
  in_own_memory([] {
    half_dead_session half_dead;
    killed_after([] {
      const channel<int> held(4);
      ::raise(SIGKILL);
    });
    EXPECT_GT(segments().size(), half_dead.names().size());
    { const session s; }
    EXPECT_EQ(segments(), half_dead.names());
    half_dead.kill_worker();
    { const session s; }
    EXPECT_THAT(segments(), IsEmpty());
  });
}

TEST(ASessionThatStarts, RemovesLeftoversAndLeavesNamesAlone) {
  in_own_memory([] {
    killed_after([] {
      const channel<int> made(2);
      channel<int>::create("jobs", 2);
      const auto jobs = channel<int>::open("jobs");
      ::raise(SIGKILL);
    });
    const auto before = segments();
    ASSERT_THAT(before, SizeIs(2));
    { const session s; }
    EXPECT_THAT(segments(), ElementsAre("jobs"));
    EXPECT_EQ(of(sweep_all(), "jobs").what, fate::released);  // the session had nothing to do with it
  });
}

}  // namespace
}  // namespace weir::tests
