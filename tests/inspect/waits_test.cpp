// SPDX-License-Identifier: BSL-1.0
// What the inspector sees of threads that run and wait, in real sessions.
#include "inspect/waits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <thread>

#include "inspect/code_names.hpp"
#include "inspect/watch.hpp"
#include "inspect/why.hpp"
#include "support/child.hpp"
#include "support/names.hpp"
#include "support/session.hpp"
#include "weir/array.hpp"
#include "weir/channel.hpp"
#include "weir/select.hpp"
#include "weir/spmd.hpp"

namespace weir::tests {
namespace {

using inspect::outlook;
using inspect::wait_what;
using testing::HasSubstr;

int wait_for_item(channel<int> from) { return from.take(); }
int lock_and_wait(array<int> a, channel<int> from) {
  const auto lock = a.lock();
  return from.take();
}
void just_lock(array<int> a) { const auto lock = a.lock(); }

class Waits : public SessionTest {
 protected:
  [[nodiscard]] std::vector<inspect::wait_report> waits_now(wait_what what) const {
    std::vector<inspect::wait_report> found;
    for (const auto& each : inspect::look_at_everything().waits) {
      if (each.realm == realm() && each.what == what) found.push_back(each);
    }
    return found;
  }
  inspect::wait_report soon(wait_what what, process_id of) const {
    inspect::wait_report found;
    EXPECT_TRUE(comes_true([&] {
      for (const auto& each : waits_now(what)) {
        if (each.process == of) found = each;
      }
      return found.process == of;
    }));
    return found;
  }
  [[nodiscard]] inspect::live_session own_session() const {
    for (const auto& each : inspect::look_at_everything().sessions) {
      if (each.realm == realm()) return each;
    }
    return {};
  }
};

TEST_F(Waits, OfAWorkerInAChannelAreSeenWithWhatItRuns) {
  const auto workers = start(1);
  channel<int> items(1);
  const auto answer = workers[0].call(wait_for_item, items);
  const inspect::wait_report wait = soon(wait_what::item, workers[0].id());
  EXPECT_EQ(wait.object, items.name());
  EXPECT_THAT(wait.text, HasSubstr("to take from"));
  const inspect::live_session session = own_session();
  ASSERT_EQ(session.live.size(), 2U);
  ASSERT_EQ(session.live[1].runs.size(), 1U);
  const inspect::run_report& run = session.live[1].runs.front();
  EXPECT_EQ(run.thread, wait.thread);
  EXPECT_EQ(run.caller, kControlProcess);
  inspect::code_names names;
  EXPECT_THAT(names.name_of(session.report.processes[1].who.pid, run.module, run.function), HasSubstr("wait_for_item"));
  items.put(5);
  EXPECT_EQ(answer.get(), 5);
  EXPECT_TRUE(comes_true([&] { return own_session().live[1].runs.empty(); }));
  EXPECT_TRUE(comes_true([&] { return waits_now(wait_what::item).empty(); }));
}

TEST_F(Waits, OfAFunctionWithoutAName) {
  const auto workers = start(1);
  channel<int> items(1);
  const auto answer = workers[0].call([](channel<int> from) { return from.take(); }, items);
  soon(wait_what::item, workers[0].id());
  const inspect::live_session session = own_session();
  ASSERT_EQ(session.live[1].runs.size(), 1U);
  const inspect::run_report& run = session.live[1].runs.front();
  inspect::code_names names;
  const std::string name = names.name_of(session.report.processes[1].who.pid, run.module, run.trampoline);
  EXPECT_THAT(name, testing::AnyOf(HasSubstr("{lambda("), HasSubstr("::$_")));  // as GCC and Clang name it
  EXPECT_THAT(name, testing::Not(HasSubstr("remote_function")));
  items.put(1);
  EXPECT_EQ(answer.get(), 1);
}

TEST_F(Waits, ForAnAnswerNameTheWorkerThatRunsTheCall) {
  const auto workers = start(1);
  channel<int> items(1);
  const auto answer = workers[0].call(wait_for_item, items);
  std::thread getter([&] { EXPECT_EQ(answer.get(), 8); });
  const inspect::wait_report wait = soon(wait_what::result, kControlProcess);
  EXPECT_EQ(wait.of, workers[0].id());
  EXPECT_EQ(wait.until_ns, 0);
  soon(wait_what::item, workers[0].id());
  const inspect::wait_graph graph = inspect::make_wait_graph(inspect::look_at_everything());
  bool is_named = false;
  for (const auto& each : graph.threads) {
    if (graph.parties[each.who].realm != realm() || each.thread != wait.thread) continue;
    for (const auto& by : each.ways.front().by) {
      const bool is_worker = graph.parties[by.who].title.find("worker 2") != std::string::npos;
      is_named = is_named || (by.thread != 0 && is_worker);
    }
  }
  EXPECT_TRUE(is_named);
  items.put(8);
  getter.join();
}

TEST_F(Waits, WithATimeoutSayWhenTheyEnd) {
  const auto workers = start(1);
  channel<int> items(1);
  const auto answer = workers[0].call(wait_for_item, items);
  std::thread waiter([&] { EXPECT_TRUE(answer.wait_for(kPatience)); });
  EXPECT_NE(soon(wait_what::result, kControlProcess).until_ns, 0);
  items.put(1);
  waiter.join();
}

TEST_F(Waits, ForALockNameTheArrayAndItsHolder) {
  const auto workers = start(2);
  array<int> numbers({4});
  channel<int> items(1);
  const auto holder = workers[0].call(lock_and_wait, numbers, items);
  soon(wait_what::item, workers[0].id());
  const auto other = workers[1].call(just_lock, numbers);
  const inspect::wait_report wait = soon(wait_what::array_lock, workers[1].id());
  EXPECT_EQ(wait.object, numbers.name());
  items.put(1);
  EXPECT_EQ(holder.get(), 1);
  other.get();
}

TEST_F(Waits, OfASelectAreOneForEachCaseAndEndWithIt) {
  const auto workers = start(1);
  channel<int> items(1);
  channel<int> others(1);
  const auto answer = workers[0].call(wait_for_item, items);
  std::thread chooser([&] { select(on_take(others, [](int) {}), on_ready(answer, [](int) {})); });
  soon(wait_what::item, kControlProcess);
  EXPECT_EQ(soon(wait_what::result, kControlProcess).of, workers[0].id());
  others.put(1);
  chooser.join();
  EXPECT_TRUE(waits_now(wait_what::result).empty());
  items.put(1);
}

TEST_F(Waits, OfATeamNameTheOperation) {
  start(2);
  channel<int> items(1);
  std::thread caller([&] {
    session().spmd(
        [](team& t, channel<int> from) {
          if (t.rank() == 1) from.take();
          t.barrier();
        },
        items);
  });
  // Its place in the table of waits and the team's record are not read at one instant.
  EXPECT_TRUE(comes_true([&] { return soon(wait_what::team, 2).text.find("barrier") != std::string::npos; }));
  items.put(1);
  caller.join();
}

TEST_F(Waits, OfIdleWorkersAreNone) {
  const auto workers = start(3);
  for (const auto& each : workers) each.fetch([] { return 1; });
  EXPECT_TRUE(comes_true([&] {
    const auto look = inspect::look_at_everything();
    return std::none_of(look.waits.begin(), look.waits.end(), [&](const auto& w) { return w.realm == realm(); });
  }));
}

TEST_F(Waits, WatchedTwiceGiveRates) {
  channel<int> items(1000);
  inspect::watcher watcher;
  const auto find = [&](const inspect::watch_frame& frame) {
    for (const auto& each : frame.channels) {
      if (each.name == items.name()) return each;
    }
    return inspect::watched_channel{};
  };
  const auto first = find(watcher.look());
  EXPECT_FALSE(first.puts_per_s.has_value());
  for (int i = 0; i < 600; ++i) items.put(i);
  for (int i = 0; i < 200; ++i) items.take();
  const auto second = find(watcher.look());
  EXPECT_EQ(second.puts - first.puts, 600U);
  EXPECT_EQ(second.takes - first.takes, 200U);
  EXPECT_EQ(second.items, 400U);
  EXPECT_GT(second.puts_per_s.value_or(0), second.takes_per_s.value_or(0));
}

// ---- why

/// Processes without a session.
class Why : public NamedSegments {
 protected:
  /// Of the threads of this process's children.
  [[nodiscard]] static std::size_t count(outlook what, const std::vector<pid_t>& pids) {
    const inspect::why_report report = inspect::look_why();
    std::size_t found = 0;
    for (std::size_t i = 0; i < report.graph.threads.size(); ++i) {
      const auto& who = report.graph.parties[report.graph.threads[i].who];
      if (report.result.of[i] == what && std::find(pids.begin(), pids.end(), who.pid) != pids.end()) ++found;
    }
    return found;
  }
  [[nodiscard]] std::function<int()> taker() const {
    return [this] {
      channel<int>::open(name()).take();
      return 0;
    };
  }
};

TEST_F(Why, NamesTwoProcessesThatWaitForEachOther) {
  auto items = std::make_optional(channel<int>::create(name(), 1));
  child first(taker());
  child second(taker());
  const std::vector<pid_t> pids{first.pid(), second.pid()};
  EXPECT_TRUE(comes_true([&] { return count(outlook::open, pids) == 2; }));  // this process could put
  EXPECT_EQ(count(outlook::deadlock, pids), 0U);
  items.reset();
  EXPECT_TRUE(comes_true([&] { return count(outlook::deadlock, pids) == 2; }));
  items.emplace(channel<int>::open(name()));
  EXPECT_TRUE(comes_true([&] { return count(outlook::open, pids) == 2; }));
  items->put(1);
  items->put(2);
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);
}

TEST_F(Why, SaysThatWhoeverOpensANamedChannelCanHelp) {
  { const auto made = channel<int>::create(name(), 1); }
  const child alone(taker());
  EXPECT_TRUE(comes_true([&] { return count(outlook::open, {alone.pid()}) == 1; }));
  const inspect::wait_graph graph = inspect::make_wait_graph(inspect::look_at_everything());
  const auto it = std::find_if(graph.threads.begin(), graph.threads.end(),
                               [&](const auto& each) { return graph.parties[each.who].pid == alone.pid(); });
  ASSERT_NE(it, graph.threads.end());
  EXPECT_THAT(it->ways.front().note, HasSubstr("nobody else has it open"));
}

TEST_F(Why, IsSilentOfAWaitWithATimeout) {
  { const auto made = channel<int>::create(name(), 1); }
  const auto patient = [this] {
    channel<int>::open(name()).take_for(kPatience);
    return 0;
  };
  const child first(patient);
  const child second(patient);
  EXPECT_TRUE(comes_true([&] { return count(outlook::open, {first.pid(), second.pid()}) == 2; }));
}

}  // namespace
}  // namespace weir::tests
