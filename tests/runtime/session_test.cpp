// SPDX-License-Identifier: BSL-1.0
// Sessions and their workers: starting, ending, what they inherit, what they cost.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "segment/names.hpp"
#include "support/child.hpp"
#include "support/session.hpp"
#include "sync/futex.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;

class Sessions : public SessionTest {};

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(Sessions, NumberTheirWorkersFromTwo) {
  const auto first = start(2);
  EXPECT_EQ(first[0].id(), 2U);
  EXPECT_EQ(first[1].id(), 3U);
  session().remove_workers({first[0]});
  EXPECT_EQ(start(1).front().id(), 4U);
  EXPECT_EQ(session().workers(), (std::vector<worker>{worker(3), worker(4)}));
  EXPECT_EQ(session().worker(3), first[1]);
  EXPECT_THROW(static_cast<void>(session().worker(5)), not_found);
  std::ostringstream text;
  text << first[1];
  EXPECT_EQ(text.str(), "worker 3");
}

TEST_F(Sessions, GiveTheirWorkersInTurn) {
  EXPECT_THROW(static_cast<void>(session().any_worker()), not_found);
  start(3);
  std::vector<process_id> ids;
  for (int i = 0; i < 6; ++i) ids.push_back(session().any_worker().id());
  EXPECT_EQ(ids, (std::vector<process_id>{2, 3, 4, 2, 3, 4}));
}

TEST_F(Sessions, RefuseASecondOne) {
  EXPECT_THROW(weir::session(), already_exists);
  EXPECT_EQ(start(1).front().fetch(my_id), 2U);
}

TEST_F(Sessions, CanFollowEachOther) {
  start(1);
  end_session();
  EXPECT_THROW(worker(2), not_in_session);
  weir::session second;
  EXPECT_NE(second.realm(), realm());
  EXPECT_EQ(second.add_workers(1).front().fetch(my_id), 2U);
}

TEST_F(Sessions, RefuseWhatMakesNoSense) {
  EXPECT_TRUE(start(0).empty());
  EXPECT_THROW(start(1, {.concurrency = 0}), invalid_argument);
  EXPECT_THROW(start(1'000'000), invalid_argument);
  EXPECT_THROW(session().remove_workers(worker(1)), invalid_argument);
}

TEST_F(Sessions, RemoveWorkersAfterTheirCalls) {
  const auto ws = start(2);
  channel<int> done(200);
  for (int i = 0; i < 100; ++i) {
    ws[0].post(
        [](channel<int> c, int x) {
          std::this_thread::sleep_for(1ms);
          c.put(x);
        },
        done, i);
  }
  session().remove_workers(ws[0]);
  EXPECT_EQ(done.size(), 100U);
  EXPECT_FALSE(ws[0].is_alive());
  EXPECT_THROW(static_cast<void>(ws[0].call(my_id)), worker_died);
  EXPECT_EQ(ws[1].fetch(my_id), 3U);
  session().remove_workers(ws);  // those that have gone are no error
  EXPECT_TRUE(session().workers().empty());
}

TEST_F(Sessions, EndAfterTheCallsThatWerePosted) {
  const std::string name = "test-" + std::to_string(::getpid()) + ".posted";
  auto done = channel<int>::create(name, 64);
  for (const auto& w : start(3)) {
    for (int i = 0; i < 10; ++i) {
      w.post(
          [](const std::string& n) {
            std::this_thread::sleep_for(1ms);
            channel<int>::open(n).put(1);
          },
          name);
    }
  }
  end_session();
  EXPECT_EQ(done.size(), 30U);
  channel<int>::remove(name);
}

TEST_F(Sessions, EndAlsoTheWorkersThatReplaceOthersMeanwhile) {
  session().on_worker_exit([&session = session()](const worker_exit&) { static_cast<void>(session.add_workers(1)); });
  start(2);
  end_session();
}

TEST_F(Sessions, LetCallsThatHaveBegunUseTheirOwnWorkerToTheEnd) {
  const std::string name = "test-" + std::to_string(::getpid()) + ".nested";
  auto done = channel<int>::create(name, 1);
  start(1).front().post(
      [](const std::string& n) {
        std::this_thread::sleep_for(100ms);
        const int value = worker(2).fetch([] { return 8; });
        channel<int>::open(n).put(value);
      },
      name);
  end_session();
  EXPECT_EQ(done.try_take(), 8);
  channel<int>::remove(name);
}

TEST(SessionsInAHurry, EndWorkersThatDoNotEndThemselves) {
  weir::session session({.output = {}, .exit_grace = 50ms});
  const auto ws = session.add_workers(2);
  ws[0].post([] {
    std::signal(SIGTERM, SIG_IGN);
    for (;;) std::this_thread::sleep_for(1h);
  });
  session.remove_workers(ws);
  EXPECT_TRUE(session.workers().empty());
}

TEST_F(Sessions, KeepUnnamedObjectsThatAreStillHeld) {
  channel<int> held(1);
  {
    const auto w = start(1).front();
    w.fetch([](channel<int> c) { c.put(5); }, held);
    session().remove_workers(w);
  }
  // Made before the end, used after it.
  auto handle = std::make_unique<channel<int>>(std::move(held));
  const std::string prefix = '@' + realm() + '.';
  EXPECT_FALSE(shm::list_segments(prefix).empty());
  handle.reset();
}

TEST_F(Sessions, GiveWorkersArgumentsAndEnvironmentOfTheControlProcess) {
  ::setenv("WEIR_TEST_INHERITED", "yes", 1);
  ::setenv("WEIR_TEST_CHANGED", "before", 1);
  worker_options options;
  options.environment = {{"WEIR_TEST_CHANGED", "after"}, {"WEIR_TEST_ADDED", "a=b"}};
  const auto w = start(1, options).front();
  const auto variable = [](const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return std::string(value == nullptr ? "unset" : value);
  };
  EXPECT_EQ(w.fetch(variable, "WEIR_TEST_INHERITED"), "yes");
  EXPECT_EQ(w.fetch(variable, "WEIR_TEST_CHANGED"), "after");
  EXPECT_EQ(w.fetch(variable, "WEIR_TEST_ADDED"), "a=b");
  EXPECT_EQ(w.fetch(variable, "WEIR_WORKER"), "unset");
  EXPECT_EQ(w.fetch(contents, "/proc/self/cmdline"), contents("/proc/self/cmdline"));
  EXPECT_EQ(w.fetch(contents, "/proc/self/comm"), contents("/proc/self/comm"));
}

std::set<std::string> open_pipes() {
  std::set<std::string> pipes;
  for (int fd = 0; fd < 200; ++fd) {
    char target[64] = {};
    const bool is_open = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), target, sizeof target - 1) > 0;
    if (is_open && std::string(target).starts_with("pipe:")) pipes.insert(target);
  }
  return pipes;
}

TEST_F(Sessions, GiveWorkersNoneOfEachOthersPipes) {
  const auto ws = start(3);
  const auto first = ws[0].fetch(open_pipes);
  for (const std::string& pipe : ws[2].fetch(open_pipes)) EXPECT_FALSE(first.contains(pipe)) << pipe;
  for (const std::string& pipe : start(1).front().fetch(open_pipes)) EXPECT_FALSE(first.contains(pipe)) << pipe;
}

TEST_F(Sessions, StartWorkersAfterTheExecutableWasDeleted) {
  const std::string copy = testing::TempDir() + "/weir-copy-" + std::to_string(::getpid());
  std::ofstream(copy, std::ios::binary) << contents(WEIR_DELETES_ITSELF);
  ::chmod(copy.c_str(), 0700);
  EXPECT_EQ(std::system(copy.c_str()), 0);
}

TEST_F(Sessions, SayWhyWorkersDoNotStart) {
  worker_options options;
  options.environment = {{"LD_PRELOAD", ""}, {"WEIR_TEST_EXIT_AT_START", "7"}};
  try {
    start(2, options);
    FAIL();
  } catch (const worker_died& e) {
    EXPECT_EQ(e.exit_status(), 7);
    EXPECT_NE(std::string(e.what()).find("has ended: exit status 7"), std::string::npos) << e.what();
  }
  EXPECT_TRUE(session().workers().empty());
  EXPECT_EQ(start(1).front().id(), 4U);
}

// Runs before main(), in workers too.
[[maybe_unused]] const bool exit_at_start = [] {
  const char* status = std::getenv("WEIR_TEST_EXIT_AT_START");
  if (status != nullptr) ::_exit(std::atoi(status));
  const char* stay = std::getenv("WEIR_TEST_STAY_AT_START");
  while (stay != nullptr) std::this_thread::sleep_for(1h);
  return true;
}();

TEST_F(Sessions, GiveUpOnWorkersThatDoNotBecomeReady) {
  worker_options options;
  options.environment = {{"WEIR_TEST_STAY_AT_START", "yes"}};
  options.start_timeout = 100ms;
  EXPECT_THROW(start(2, options), timed_out);
  EXPECT_EQ(start(1).front().fetch(my_id), 4U);
}

TEST_F(Sessions, MayHaveEightWorkers) {
  const auto ws = start(8);
  ASSERT_EQ(ws.size(), 8U);
  process_id sum = 0;
  for (const auto& w : ws)
    sum += w.fetch([] {
      process_id others = 0;
      for (process_id id = 2; id <= 9; ++id) others += worker(id).fetch(my_id);
      return others;
    });
  EXPECT_EQ(sum, 8U * 44U);
}

struct processor_use {
  double seconds = 0;
  long sleeps = 0;
};
processor_use processor_use_so_far() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return {seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_nvcsw};
}

TEST_F(Sessions, OfEightIdleWorkersHardlyEverWake) {
  constexpr int kWorkers = 8;
  constexpr auto kTime = 2s;
  const auto ws = start(kWorkers);
  const auto used = [&] {
    processor_use sum;
    for (const auto& w : ws) {
      const processor_use one = w.fetch(processor_use_so_far);
      sum.seconds += one.seconds;
      sum.sleeps += one.sleeps;
    }
    return sum;
  };
  static_cast<void>(used());
  const processor_use before = used();
  std::this_thread::sleep_for(kTime);
  const processor_use after = used();
  const long sleeps = after.sleeps - before.sleeps;
  RecordProperty("milliseconds", std::to_string((after.seconds - before.seconds) * 1e3));
  RecordProperty("sleeps", std::to_string(sleeps));
  // One thread of each looks after the dead from time to time; it and the call that asks may sleep a few times on the way.
  EXPECT_LE(sleeps, kWorkers * (kTime / sync::kLongestSleep + 20));
  // How little time that is, the benchmarks say (7a). Who does not sleep uses a hundred times as much.
  EXPECT_LT(after.seconds - before.seconds, 0.5);
}

TEST_F(Sessions, AreNotThoseOfAForkedChild) {
  const auto w = start(1).front();
  child forked([&] {
    bool refused = false;
    try {
      static_cast<void>(worker(2));
    } catch (const not_in_session&) {
      refused = true;
    }
    return refused ? 0 : 1;
  });
  EXPECT_EQ(forked.wait(), 0);
  auto held = w.call([] { return 4; });
  child exiting([&] {
    session().~session();  // its copy does nothing
    held = {};
    return 0;
  });
  exiting.wait();
  EXPECT_EQ(held.get(), 4);
  EXPECT_EQ(w.fetch(my_id), 2U);
}

TEST_F(Sessions, StayAtWorkWithWorkersBeingAddedAndRemovedFromThreads) {
  std::vector<std::jthread> threads;
  std::atomic<int> answers{0};
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 4; ++i) {
        const auto w = start(1).front();
        if (w.fetch(my_id) == w.id()) ++answers;
        session().remove_workers(w);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(answers, 12);
}

}  // namespace
}  // namespace weir::tests
