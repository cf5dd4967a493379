// SPDX-License-Identifier: BSL-1.0
// What the processes of a session record, who can read it, and for how long it stays.
#include <sys/wait.h>

#include <csignal>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "runtime/tracing.hpp"
#include "trace/recorder.hpp"
#include "trace/traced.hpp"
#include "weir/array.hpp"
#include "weir/weir.hpp"

namespace weir::tests {
namespace {

using inspect::read_trace;
using inspect::trace_report;
using testing::Each;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

int square(int x) { return x * x; }
const auto add_one = [](int x) { return x + 1; };
int fail(int x) { throw std::runtime_error("no " + std::to_string(x)); }
void put_numbers(channel<int> to, int count) {
  for (int i = 0; i < count; ++i) to.put(i);
}
long take_numbers(channel<int> from, int count) {
  long sum = 0;
  for (int i = 0; i < count; ++i) sum += from.take();
  return sum;
}
std::size_t put_texts(channel<std::string> to, int count) {
  for (int i = 0; i < count; ++i) to.put(std::string(static_cast<std::size_t>(i) * 100, 'x'));
  return 0;
}

/// Every living process of the session has seen what its switch says.
void expect_obeyed(const std::string& realm, std::uint32_t word, process_id processes) {
  EXPECT_TRUE(comes_true([&] {
    for (process_id id = 1; id <= processes; ++id) {
      if (inspect::look_at_trace(realm, id).follows != word) return false;
    }
    return true;
  }));
}

TEST(ATrace, TellsEveryPutAndTakeAndLeadsFromOneToTheOther) {
  in_own_memory([] {
    session s({.trace = true});
    const auto w = s.add_workers(2);
    auto jobs = channel<int>::create("jobs", 4);
    auto texts = channel<std::string>::create("texts", 2);
    auto put = w[0].call(put_numbers, jobs, 500);
    EXPECT_EQ(w[1].fetch(take_numbers, jobs, 500), 499L * 500 / 2);
    put.get();
    auto put_more = w[0].call(put_texts, texts, 30);
    std::size_t bytes = 0;
    for (int i = 0; i < 10; ++i) bytes += texts.take().size();
    for (int i = 10; i < 20; ++i) bytes += texts.take_view().size();
    for (int i = 20; i < 30; ++i) bytes += texts.take_for(kPatience)->size();
    EXPECT_EQ(bytes, 29U * 30 / 2 * 100);
    put_more.get();

    const trace_report report = read_trace(s.realm());
    expect_sound(report);
    EXPECT_THAT(report.processes, SizeIs(3));
    for (const std::string what : {"put", "take"}) {
      EXPECT_EQ(count_of(report, what + " jobs"), 500U);
      EXPECT_EQ(count_of(report, what + " texts"), 30U);
    }
    const auto timeline = make_timeline(report);
    std::size_t items = 0;
    for (const auto& flow : timeline.flows) {
      const auto& from = *timeline.slices[flow.from].event;
      const auto& to = *timeline.slices[flow.to].event;
      if (from.kind != event_kind::put) continue;
      ++items;
      EXPECT_EQ(to.kind, event_kind::take);
      EXPECT_EQ(from.number, to.number);
      EXPECT_EQ(from.process, 2U);
      EXPECT_NE(to.process, 2U);
    }
    EXPECT_EQ(items, 530U);
  });
}

TEST(ATrace, TellsCallsAndTheirRunsByName) {
  in_own_memory([] {
    session s({.trace = true});
    const auto w = s.add_workers(2).front();
    EXPECT_EQ(w.fetch(square, 7), 49);
    EXPECT_THROW(w.fetch(fail, 7), remote_error);
    EXPECT_EQ(w.fetch(add_one, 7), 8);
    EXPECT_EQ(s.worker(3).fetch([](int x) { return worker(2).fetch(square, x); }, 5), 25);

    const trace_report report = read_trace(s.realm());
    expect_sound(report);
    EXPECT_EQ(count_of(report, "call weir::tests::square"), 2U);
    EXPECT_EQ(count_of(report, "run weir::tests::square"), 2U);
    EXPECT_EQ(count_of(report, "run weir::tests::fail"), 1U);
    EXPECT_THAT(events_of(report, event_kind::call), SizeIs(5));
    EXPECT_THAT(events_of(report, event_kind::run_begin), SizeIs(5));
    EXPECT_THAT(events_of(report, event_kind::answer), SizeIs(5));
    EXPECT_THAT(make_timeline(report).flows, SizeIs(5));
    std::size_t threw = 0;
    for (const auto& slice : make_timeline(report).slices) threw += slice.threw ? 1 : 0;
    EXPECT_EQ(threw, 1U);
    bool names_the_lambda = false;
    for (const auto& process : report.processes) {
      for (const auto& [key, name] : process.names) {
        names_the_lambda = names_the_lambda || name.ends_with("{lambda(int)#1}");
      }
    }
    EXPECT_TRUE(names_the_lambda);
  });
}

TEST(ATrace, TellsWhoSleptForWhatAndHowLong) {
  in_own_memory([] {
    session s({.trace = true});
    const auto w = s.add_workers(2);
    auto jobs = channel<int>::create("jobs", 1);
    auto numbers = array<int>::create("numbers", {10});
    auto taken = w[0].call(take_numbers, jobs, 1);
    const auto sleeps_for = [&](const std::string& what) {
      return comes_true([&] { return count_of(read_trace(s.realm()), what) == 1; });
    };
    EXPECT_TRUE(sleeps_for("wait for an item jobs"));
    {
      const auto lock = numbers.lock();
      auto locked = w[1].call([](array<int> a) { static_cast<void>(a.lock()); }, numbers);
      EXPECT_TRUE(sleeps_for("wait for the lock numbers"));
    }
    jobs.put(1);
    EXPECT_EQ(taken.get(), 1);
    const trace_report report = read_trace(s.realm());
    expect_sound(report);
    for (const auto& slice : make_timeline(report).slices) {
      if (text_of(*slice.event) + object_of(*slice.process, *slice.event) != "wait for an item jobs") continue;
      EXPECT_TRUE(slice.is_finished);
      EXPECT_GT(slice.end_ns, slice.begin_ns);
    }
  });
}

TEST(ATrace, IsNotThereUntilItIsSwitchedOnAndEndsWhenItIsSwitchedOff) {
  in_own_memory([] {
    session s;
    const auto w = s.add_workers(1).front();
    auto jobs = channel<int>::create("jobs", 600);
    w.fetch(put_numbers, jobs, 5);
    EXPECT_THAT(traces(), IsEmpty());

    const auto on = runtime::switch_trace_of(s.realm(), true);
    EXPECT_FALSE(on.was_so);
    EXPECT_TRUE(runtime::switch_trace_of(s.realm(), true).was_so);
    expect_obeyed(s.realm(), on.word, 2);
    w.fetch(put_numbers, jobs, 7);
    const auto later = s.add_workers(1).front();
    later.fetch(put_numbers, jobs, 11);
    EXPECT_EQ(count_of(read_trace(s.realm()), "put jobs"), 18U);

    const auto off = runtime::switch_trace_of(s.realm(), false);
    expect_obeyed(s.realm(), off.word, 3);
    EXPECT_FALSE(trace::is_on());
    w.fetch(put_numbers, jobs, 13);
    EXPECT_EQ(count_of(read_trace(s.realm()), "put jobs"), 18U);

    // What comes with the next start is another trace.
    expect_obeyed(s.realm(), runtime::switch_trace_of(s.realm(), true).word, 3);
    w.fetch(put_numbers, jobs, 3);
    EXPECT_EQ(count_of(read_trace(s.realm()), "put jobs"), 3U);
    expect_sound(read_trace(s.realm()));
  });
}

TEST(ATrace, KeepsTheLastEventsOfEachThread) {
  in_own_memory([] {
    session s({.trace = true});
    channel<int> numbers(1);
    constexpr int kMany = 50'000;
    for (int i = 0; i < kMany; ++i) {
      numbers.put(i);
      EXPECT_EQ(numbers.take(), i);
    }
    const trace_report report = read_trace(s.realm());
    expect_sound(report);
    const auto& self = report.processes.front();
    EXPECT_GE(self.recorded, 2U * kMany);
    EXPECT_GE(self.overwritten, 2U * kMany - trace::kRecords);
    const auto puts = events_of(report, event_kind::put);
    EXPECT_GE(puts.size(), trace::kRecords / 2 - 2);
    EXPECT_EQ(puts.back().number, static_cast<std::uint64_t>(kMany) - 1);
    EXPECT_GE(make_timeline(report).flows.size(), puts.size() - 1);
  });
}

TEST(ATrace, IsReadWholeWhileItIsWritten) {
  in_own_memory([] {
    session s({.trace = true});
    const auto w = s.add_workers(2);
    channel<int> numbers(16);
    constexpr int kMany = 150'000;
    auto put = w[0].call(put_numbers, numbers, kMany);
    auto taken = w[1].call(take_numbers, numbers, kMany);
    int looks = 0;
    while (!taken.is_ready()) {
      expect_sound(read_trace(s.realm()));
      ++looks;
    }
    put.get();
    EXPECT_GT(looks, 0);
    const trace_report report = read_trace(s.realm());
    EXPECT_GT(report.processes[1].overwritten, 0U);
  });
}

TEST(ATrace, GivesTheRingsOfThreadsThatEndToOthers) {
  in_own_memory([] {
    session s({.trace = true});
    channel<int> numbers(400);
    for (int i = 0; i < 200; ++i) {
      std::thread([&] { numbers.put(i); }).join();
    }
    const trace_report report = read_trace(s.realm());
    expect_sound(report);
    EXPECT_EQ(report.processes.front().refused, 0U);
    std::vector<std::int32_t> threads;
    for (const auto& put : events_of(report, event_kind::put)) threads.push_back(put.thread);
    ASSERT_THAT(threads, SizeIs(200));
    // The kernel may use a number again, but not at once.
    EXPECT_EQ(std::adjacent_find(threads.begin(), threads.end()), threads.end());
  });
}

TEST(ATrace, GoesOnWithoutThreadsForWhichThereIsNoRing) {
  in_own_memory([] {
    session s({.trace = true});
    channel<int> numbers(400);
    std::vector<std::thread> threads;
    std::atomic<int> have_put{0};
    std::atomic<bool> may_end{false};
    constexpr int kThreads = static_cast<int>(trace::kRings) + 8;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        numbers.put(i);
        ++have_put;
        may_end.wait(false);
      });
    }
    EXPECT_TRUE(comes_true([&] { return have_put == kThreads; }));
    const trace_report report = read_trace(s.realm());
    expect_sound(report);
    EXPECT_GE(report.processes.front().refused, 8U);
    EXPECT_LE(events_of(report, event_kind::put).size(), trace::kRings);
    EXPECT_EQ(numbers.size(), static_cast<std::size_t>(kThreads));
    may_end = true;
    may_end.notify_all();
    for (std::thread& each : threads) each.join();
  });
}

TEST(ATrace, DoesNotStopAProgramWhenSharedMemoryIsFull) {
  with_memory_of("1m", [] {
    session s({.trace = true});  // room for its segment, none for a ring
    channel<int> numbers(2);
    numbers.put(1);
    EXPECT_EQ(numbers.take(), 1);
    const trace_report report = read_trace(s.realm());
    ASSERT_THAT(report.processes, SizeIs(1));
    EXPECT_GE(report.processes.front().refused, 1U);
    EXPECT_THAT(report.processes.front().events, IsEmpty());
  });
}

TEST(ATrace, HasNothingOfAForkedChild) {
  in_own_memory([] {
    session s({.trace = true});
    auto jobs = channel<int>::create("jobs", 10);
    jobs.put(1);
    child forked([] {
      channel<int>::open("jobs").put(2);
      return trace::is_on() ? 1 : 0;
    });
    EXPECT_EQ(forked.wait(), 0);
    jobs.put(3);
    EXPECT_EQ(count_of(read_trace(s.realm()), "put jobs"), 2U);
    EXPECT_EQ(jobs.size(), 3U);
  });
}

/// Its realm. Every process of it is killed, in the middle of what it does.
std::string session_all_killed() {
  auto lives_in = channel<std::string>::create("realm", 1);
  auto all = channel<int>::create("all", 4);
  child control([] {
    session s({.trace = true});
    const auto w = s.add_workers(2);
    channel<int> numbers(1);
    w[0].post(put_numbers, numbers, 1'000'000);
    w[1].post([] { static_cast<void>(channel<int>::open("all").fetch()); });  // nothing comes
    for (int i = 0; i < 100; ++i) static_cast<void>(numbers.take());
    static_cast<void>(comes_true([&] { return count_of(read_trace(s.realm()), "wait for an item all") == 1; }));
    channel<std::string>::open("realm").put(s.realm());
    ::raise(SIGKILL);
    return 0;
  });
  const std::string realm = lives_in.take();
  for (const process_id id : {2U, 3U}) ::kill(inspect::look_at_trace(realm, id).who.pid, SIGKILL);
  control.wait();
  channel<std::string>::remove("realm");
  EXPECT_TRUE(comes_true([&] {
    const auto report = read_trace(realm);
    return std::all_of(report.processes.begin(), report.processes.end(),
                       [](const auto& p) { return p.life == shm::liveness::dead; });
  }));
  return realm;
}

TEST(ATraceOfASessionWhoseProcessesWereAllKilled, TellsItsLastMoments) {
  in_own_memory([] {
    const std::string realm = session_all_killed();
    const trace_report report = read_trace(realm);
    expect_sound(report);
    ASSERT_THAT(report.processes, SizeIs(3));
    EXPECT_EQ(events_of(report, event_kind::take).size(), 100U);
    const auto timeline = make_timeline(report);
    std::vector<std::string> unfinished;
    for (const auto& slice : timeline.slices) {
      if (slice.is_finished) continue;
      unfinished.push_back(text_of(*slice.event) + ' ' + object_of(*slice.process, *slice.event));
    }
    EXPECT_THAT(unfinished, testing::Contains("wait for an item all"));
    EXPECT_THAT(unfinished, testing::Contains(StartsWith("run weir::tests::put_numbers")));
    channel<int>::remove("all");
  });
}

TEST(ATraceOfADeadSession, StaysUntilGcOrAnotherTracedSession) {
  in_own_memory([] {
    const std::string realm = session_all_killed();
    channel<int>::remove("all");
    { const session untraced; }
    EXPECT_THAT(traces(), SizeIs(3));
    EXPECT_THAT(traces(), Each(StartsWith('@' + realm)));
    std::string next;
    {
      const session traced({.trace = true});
      next = traced.realm();
      EXPECT_THAT(traces(), testing::ElementsAre('@' + next + ".trace.1"));
    }
    // It outlives its session as well; this process, which made it, lives.
    EXPECT_THAT(traces(), testing::ElementsAre('@' + next + ".trace.1"));
    EXPECT_THROW(runtime::switch_trace_of(next, false), not_found);
  });
}

}  // namespace
}  // namespace weir::tests
