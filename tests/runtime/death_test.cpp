// SPDX-License-Identifier: BSL-1.0
// Workers and control processes that are killed.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "segment/process_identity.hpp"
#include "support/child.hpp"
#include "support/leftovers.hpp"
#include "support/session.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;

class Death : public SessionTest {};

int pid() { return static_cast<int>(::getpid()); }
void wait_for_ever() {
  for (;;) std::this_thread::sleep_for(1h);
}
int compute_for_ever() {
  volatile unsigned long n = 0;
  while (n < ~0UL) n = n + 1;
  return 0;
}

/// What `f` throws, which must be a worker_died.
template <class F>
worker_died death_seen_by(F f) {
  try {
    f();
  } catch (const worker_died& e) {
    return e;
  }
  throw std::logic_error("no worker_died was thrown");
}

TEST_F(Death, OfAWorkerEndsWhatWaitsForIt) {
  const auto w = start(1).front();
  const int victim = w.fetch(pid);
  const auto computing = w.call(compute_for_ever);
  const auto queued = w.call(my_id);
  std::vector<std::exception_ptr> seen(3);
  const auto wait_in_thread = [&](std::size_t i, auto action) {
    return std::jthread([&seen, i, action] {
      try {
        action();
      } catch (...) {
        seen[i] = std::current_exception();
      }
    });
  };
  {
    const std::vector<std::jthread> threads = [&] {
      std::vector<std::jthread> all;
      all.push_back(wait_in_thread(0, [&] { computing.get(); }));
      all.push_back(wait_in_thread(1, [&] { queued.get(); }));
      all.push_back(wait_in_thread(2, [&] { w.fetch(my_id); }));
      return all;
    }();
    std::this_thread::sleep_for(50ms);
    ::kill(victim, SIGKILL);
  }
  for (const std::exception_ptr& each : seen) {
    const worker_died e = death_seen_by([&] { std::rethrow_exception(each); });
    EXPECT_EQ(e.id(), 2U);
    EXPECT_EQ(e.signal(), SIGKILL);
    EXPECT_EQ(e.exit_status(), std::nullopt);
    EXPECT_STREQ(e.what(), "weir: wait for a result: worker 2 has ended: killed by signal 9 (SIGKILL)");
  }
  EXPECT_THROW(computing.get(), worker_died);  // each time
}

TEST_F(Death, OfAWorkerIsKnownWithinASecond) {
  const auto ws = start(2);
  const int victim = ws[0].fetch(pid);
  const auto waiting = ws[0].call(wait_for_ever);
  const auto waiting_there = ws[1].call([](future<void> f) { f.get(); }, waiting);
  std::this_thread::sleep_for(20ms);
  // The promise itself is a second; no other upper bound is asserted in these tests.
  EXPECT_LT(milliseconds_of([&] {
              ::kill(victim, SIGKILL);
              EXPECT_EQ(death_seen_by([&] { waiting.get(); }).signal(), SIGKILL);
            }),
            1000);
  EXPECT_LT(milliseconds_of([&] { EXPECT_THROW(waiting_there.get(), remote_error); }), 1000);
}

TEST_F(Death, OfAWorkerThatAnotherWaitsForArrivesThere) {
  const auto ws = start(2);
  const int victim = ws[1].fetch(pid);
  const auto waiting = ws[0].call([](worker other) { other.fetch(wait_for_ever); }, ws[1]);
  std::this_thread::sleep_for(20ms);
  ::kill(victim, SIGKILL);
  try {
    waiting.get();
    FAIL();
  } catch (const remote_error& e) {
    EXPECT_EQ(e.worker(), 2U);
    const worker_died inner = death_seen_by([&] { std::rethrow_if_nested(e); });
    EXPECT_EQ(inner.id(), 3U);
    EXPECT_EQ(inner.signal(), SIGKILL);
  }
}

TEST_F(Death, LeavesTheSessionAndTheOtherWorkersAtWork) {
  const auto ws = start(3);
  ::kill(ws[1].fetch(pid), SIGKILL);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (ws[1].is_alive() && std::chrono::steady_clock::now() < give_up) {  // without a pause: before the session knows
  }
  EXPECT_EQ(death_seen_by([&] { static_cast<void>(ws[1].call(my_id)); }).id(), 3U);
  EXPECT_EQ(ws[0].fetch(my_id) + ws[2].fetch(my_id), 6U);
  EXPECT_THROW(ws[1].fetch(my_id), worker_died);
  EXPECT_THROW(ws[1].post(my_id), worker_died);
  EXPECT_THROW(static_cast<void>(worker(3).global<int>("a")), worker_died);
  const auto fresh = start(2);
  EXPECT_EQ(fresh[0].id(), 5U);
  EXPECT_EQ(fresh[1].id(), 6U);
  EXPECT_EQ(fresh[1].fetch(my_id), 6U);
  const auto all = session().workers();
  EXPECT_EQ(all, (std::vector<worker>{ws[0], ws[2], fresh[0], fresh[1]}));
}

TEST_F(Death, OfManyWorkersInTurnUsesNothingUp) {
  for (process_id id = 2; id < 12; ++id) {
    const auto w = start(1).front();
    EXPECT_EQ(w.id(), id);
    const int victim = w.fetch(pid);
    w.post(wait_for_ever);
    const auto f = w.call([](const std::vector<double>& v) { return v; }, std::vector<double>(10'000));
    ::kill(victim, SIGKILL);
    EXPECT_EQ(death_seen_by([&] { f.get(); }).signal(), SIGKILL);
  }
  EXPECT_TRUE(session().workers().empty());
}

TEST_F(Death, ByExitTellsTheStatus) {
  const auto w = start(1).front();
  const worker_died e = death_seen_by([&] { w.fetch([] { std::exit(3); }); });
  EXPECT_EQ(e.exit_status(), 3);
  EXPECT_EQ(e.signal(), std::nullopt);
  EXPECT_STREQ(e.what(), "weir: wait for a result: worker 2 has ended: exit status 3");
}

TEST_F(Death, AfterTheResultWasStoredDoesNotTakeItBack) {
  const auto w = start(1).front();
  const auto small = w.call([] { return 41; });
  const auto large = w.call([] { return std::vector<int>(100'000, 7); });
  large.wait();
  ::kill(w.fetch(pid), SIGKILL);
  EXPECT_TRUE(comes_true([&] { return !w.is_alive(); }));
  EXPECT_EQ(small.get(), 41);
  EXPECT_EQ(large.get().size(), 100'000U);
}

TEST_F(Death, OfAWorkerWakesWhoWaitsForRoomInItsInbox) {
  const auto w = start(1).front();
  const int victim = w.fetch(pid);
  w.post(compute_for_ever);
  std::jthread killer([victim] {
    std::this_thread::sleep_for(200ms);
    ::kill(victim, SIGKILL);
  });
  EXPECT_EQ(death_seen_by([&] {
              for (;;) w.post(my_id);  // until it is full, and then waits
            }).signal(),
            SIGKILL);
}

TEST_F(Death, IsToldToWhoAskedForIt) {
  channel<int> told(8);
  session().on_worker_exit([&session = session(), told](const worker_exit& e) mutable {
    told.put(static_cast<int>(e.id) * 1000 + e.report.signal.value_or(0) * 10 + (e.expected ? 1 : 0));
    if (e.id == 2) static_cast<void>(session.add_workers(1));  // it may use the session
  });
  const auto ws = start(2);
  ::kill(ws[0].fetch(pid), SIGKILL);
  EXPECT_EQ(told.take_for(kPatience), 2090);
  EXPECT_TRUE(comes_true([&] { return session().workers().size() == 2; }));
  session().remove_workers(ws[1]);
  EXPECT_EQ(told.take_for(kPatience), 3001);
}

TEST_F(Death, OfAWorkerClosesChannelsThatLivedWithIt) {
  const auto ws = start(2);
  auto on = channel<int>::on(ws[0], 1);
  channel<int> bound(1);
  bound.close_when_gone(ws[0]);
  channel<int> other(1);
  std::exception_ptr seen;
  {
    std::jthread taker([&] {
      try {
        on.take();
      } catch (...) {
        seen = std::current_exception();
      }
    });
    std::this_thread::sleep_for(20ms);
    ::kill(ws[0].fetch(pid), SIGKILL);
  }
  EXPECT_EQ(death_seen_by([&] { std::rethrow_exception(seen); }).id(), 2U);
  EXPECT_TRUE(comes_true([&] { return !bound.is_open(); }));
  EXPECT_TRUE(other.is_open());
}

TEST_F(Death, OfAWorkerGivesBackTheMemoryOfResultsThatNobodyHolds) {
  const auto ws = start(2);
  ws[0].fetch(
      [](worker other) {
        for (int i = 0; i < 3; ++i) other.fetch([] { return std::vector<char>(4'000'000, 'x'); });
      },
      ws[1]);
  const auto used_bytes = [path = "/dev/shm/weir.@" + realm() + ".results.2"] {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? info.st_blocks * 512 : -1;
  };
  EXPECT_GT(used_bytes(), 3'000'000);
  ::kill(ws[0].fetch(pid), SIGKILL);
  EXPECT_TRUE(comes_true([&] { return used_bytes() < 1'000'000; }));
}

TEST_F(Death, OfAStoppedWorkerComesWithTheEndOfTheSession) {
  const auto w = start(1).front();
  ::kill(w.fetch(pid), SIGSTOP);
  end_session();  // by signals, after the grace
}

// ---- the control process

using control_report = std::pair<std::string, std::vector<int>>;  // the realm, the workers' pids

/// A control process whose workers compute, wait, print and idle; it reports and then sleeps.
int run_control(channel<control_report> told) {
  weir::session session;
  const auto ws = session.add_workers(8);
  std::vector<int> pids;
  for (const auto& w : ws) pids.push_back(w.fetch(pid));
  channel<std::vector<double>> shared(4);
  shared.put(std::vector<double>(100'000));
  channel<int> never(1);
  const auto large = ws[4].call([] { return std::vector<double>(1'000'000); });
  large.wait();
  for (const std::size_t i : {0U, 1U}) ws[i].post(compute_for_ever);
  ws[2].post([](channel<int> c) { c.take(); }, never);
  ws[3].post([] {
    for (;;) {
      std::fputs("a line\n", stdout);
      std::this_thread::sleep_for(1ms);
    }
  });
  ws[5].post([] {
    for (;;) {
      const channel<std::vector<double>> made(4);  // segments come and go when the end comes
    }
  });
  told.put({session.realm(), pids});
  wait_for_ever();
  return 0;
}

TEST(DeathOfTheControlProcess, EndsItsWorkersAndRemovesTheSegments) {
  const std::string name = "test-" + std::to_string(::getpid()) + ".control";
  auto told = channel<control_report>::create(name, 1);
  child control([&] {
    ::close(STDOUT_FILENO);
    return run_control(channel<control_report>::open(name));
  });
  const auto [realm, pids] = told.take_for(kPatience).value();
  channel<control_report>::remove(name);
  ASSERT_EQ(pids.size(), 8U);
  std::vector<shm::process_identity> workers;
  for (const int each : pids) workers.push_back(shm::identify(each));
  ASSERT_FALSE(shm::list_segments('@' + realm).empty());

  const auto killed = std::chrono::steady_clock::now();
  ::kill(control.pid(), SIGKILL);
  const auto all_over = [&workers, prefix = '@' + realm] {
    for (const auto& each : workers) {
      if (!shm::is_dead(each)) return false;
    }
    return shm::list_segments(prefix).empty();
  };
  EXPECT_TRUE(comes_true(all_over));
  // The promise itself is two seconds.
  EXPECT_LT(std::chrono::steady_clock::now() - killed, 2s);
  control.wait();
}

/// In a shared memory of its own: any session that starts, another test's too, clears up.
TEST(DeathOfTheControlProcess, WithoutWorkersIsClearedUpByTheNextSession) {
  in_own_memory([] {
    std::string realm;
    {
      auto told = channel<std::string>::create("realm", 1);
      child control([] {
        weir::session session;
        const channel<int> held(4);
        channel<std::string>::open("realm").put(session.realm());
        wait_for_ever();
        return 0;
      });
      realm = told.take_for(kPatience).value();
      ::kill(control.pid(), SIGKILL);
      control.wait();
    }
    channel<std::string>::remove("realm");
    EXPECT_FALSE(shm::list_segments('@' + realm).empty());
    const weir::session next;
    EXPECT_TRUE(shm::list_segments('@' + realm).empty());
  });
}

TEST_F(Death, BySignalsOfATerminalReachesTheControlProcessOnly) {
  const auto w = start(1).front();
  EXPECT_EQ(w.fetch([] { return ::getpgrp() == ::getpid(); }), true);
  EXPECT_NE(w.fetch([] { return static_cast<int>(::getpgrp()); }), static_cast<int>(::getpgrp()));
}

// ---- a control process that is stopped

TEST(AStoppedControlProcess, IsNotNeededForWorkersToHandDataToEachOther) {
  const std::string base = "test-" + std::to_string(::getpid());
  auto go = channel<int>::create(base + ".go", 1);
  auto done = channel<double>::create(base + ".done", 1);
  const auto produce = [](const std::string& name, worker to) {
    channel<int>::open(name + ".go").take();
    channel<std::vector<double>> belt(4);
    const auto sum = to.call(
        [](channel<std::vector<double>> from) {
          double total = 0;
          for (const auto& v : from) total += v.front() + v.back() + static_cast<double>(v.size());
          return total;
        },
        belt);
    for (int i = 0; i < 1000; ++i) belt.put(std::vector<double>(100'000, static_cast<double>(i)));
    belt.close();
    channel<double>::open(name + ".done").put(sum.get());
  };
  child control([&] {
    weir::session session;
    const auto ws = session.add_workers(2);
    const auto running = ws[0].call(produce, base, ws[1]);
    channel<double>::open(base + ".done").put(-1);  // ready
    running.get();
    return 0;
  });
  EXPECT_EQ(done.take_for(kPatience), -1);
  ::kill(control.pid(), SIGSTOP);
  go.put(1);
  // 2 * (0 + 1 + ... + 999) + 1000 * 100,000
  EXPECT_EQ(done.take_for(kPatience), 100'999'000.0);
  ::kill(control.pid(), SIGCONT);
  EXPECT_EQ(control.wait(), 0);
  channel<int>::remove(base + ".go");
  channel<double>::remove(base + ".done");
}

}  // namespace
}  // namespace weir::tests
