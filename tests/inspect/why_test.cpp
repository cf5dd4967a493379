// SPDX-License-Identifier: BSL-1.0
// Graphs of waits made by hand: what is concluded from them.
#include "inspect/why.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace weir::tests {
namespace {

using inspect::bringer;
using inspect::outlook;
using inspect::party;
using inspect::wait_graph;
using inspect::way_out;
using testing::ElementsAre;
using testing::IsEmpty;

class WaitGraph : public testing::Test {
 protected:
  /// A process whose threads all sleep, but for those that `waits` adds.
  std::size_t process(const std::string& realm = {}) {
    party fresh;
    fresh.pid = 100 + static_cast<std::int32_t>(graph_.parties.size());
    fresh.realm = realm;
    fresh.serves = !realm.empty();
    graph_.parties.push_back(fresh);
    return graph_.parties.size() - 1;
  }
  /// Its one thread waits for any thread of one of these.
  std::size_t waits(std::size_t who, const std::vector<std::size_t>& for_any_of, std::int32_t thread = 0) {
    way_out way;
    for (const std::size_t each : for_any_of) way.by.push_back({each, 0});
    return waits_for(who, {way}, thread);
  }
  std::size_t waits_for(std::size_t who, std::vector<way_out> ways, std::int32_t thread = 0) {
    inspect::waiting_thread fresh;
    fresh.who = who;
    fresh.thread = thread == 0 ? graph_.parties[who].pid : thread;
    fresh.ways = std::move(ways);
    graph_.threads.push_back(std::move(fresh));
    return graph_.threads.size() - 1;
  }
  [[nodiscard]] std::vector<outlook> outlooks() const { return inspect::judge(graph_).of; }

  wait_graph graph_;
};

TEST_F(WaitGraph, WithoutWaitsIsFine) {
  process();
  EXPECT_FALSE(inspect::judge(graph_).is_problem());
}

TEST_F(WaitGraph, AWaitForOneWhoActsIsOpen) {
  const std::size_t a = process();
  const std::size_t b = process();
  graph_.parties[b].has_free_thread = true;
  waits(a, {b});
  EXPECT_THAT(outlooks(), ElementsAre(outlook::open));
}

TEST_F(WaitGraph, TwoWhoWaitForEachOtherAreADeadlock) {
  const std::size_t a = process();
  const std::size_t b = process();
  waits(a, {b});
  waits(b, {a});
  EXPECT_THAT(outlooks(), ElementsAre(outlook::deadlock, outlook::deadlock));
  EXPECT_THAT(inspect::judge(graph_).circles, ElementsAre(ElementsAre(0U, 1U)));
}

TEST_F(WaitGraph, AThirdWhoCanHelpMakesItNone) {
  const std::size_t a = process();
  const std::size_t b = process();
  const std::size_t c = process();
  graph_.parties[c].has_free_thread = true;
  waits(a, {b});
  waits(b, {a, c});
  EXPECT_THAT(outlooks(), ElementsAre(outlook::open, outlook::open));
}

TEST_F(WaitGraph, WhoWaitsForADeadlockIsBehindIt) {
  const std::size_t a = process();
  const std::size_t b = process();
  const std::size_t c = process();
  waits(a, {b});
  waits(b, {a});
  waits(c, {a});
  EXPECT_THAT(outlooks(), ElementsAre(outlook::deadlock, outlook::deadlock, outlook::behind));
}

TEST_F(WaitGraph, AWaitForTheDeadIsHopeless) {
  const std::size_t a = process();
  const std::size_t b = process();
  graph_.parties[b].alive = false;
  graph_.parties[b].has_free_thread = true;  // whatever is said of it
  waits(a, {b});
  EXPECT_THAT(outlooks(), ElementsAre(outlook::hopeless));
}

TEST_F(WaitGraph, AWaitForNobodyIsHopeless) {
  waits(process(), {});
  EXPECT_THAT(outlooks(), ElementsAre(outlook::hopeless));
}

TEST_F(WaitGraph, AWaitThatEndsByItselfIsOpenAndSoAreThoseBehind) {
  const std::size_t a = process();
  const std::size_t b = process();
  graph_.threads[waits(a, {b})].until_ns = 1;
  waits(b, {a});
  EXPECT_THAT(outlooks(), ElementsAre(outlook::open, outlook::open));
}

TEST_F(WaitGraph, AThreadMayWaitForItsOwnProcess) {
  const std::size_t a = process();
  waits(a, {a});
  EXPECT_THAT(outlooks(), ElementsAre(outlook::deadlock));
  waits_for(a, {way_out{.text = {}, .is_sure = true, .by = {}, .role = {}, .note = {}}}, 999);
  EXPECT_THAT(outlooks(), ElementsAre(outlook::open, outlook::open));
}

TEST_F(WaitGraph, OneOfSeveralWaysOutIsEnough) {
  const std::size_t a = process();
  const std::size_t b = process();
  const std::size_t c = process();
  graph_.parties[c].has_free_thread = true;
  way_out first;
  first.by.push_back({b, 0});
  way_out second;
  second.by.push_back({c, 0});
  waits(b, {a});
  waits_for(a, {first, second});
  EXPECT_THAT(outlooks(), ElementsAre(outlook::open, outlook::open));
}

TEST_F(WaitGraph, ARendezvousOfAllNeedsEveryOne) {
  const std::size_t a = process();
  const std::size_t b = process();
  const std::size_t c = process();
  graph_.parties[c].has_free_thread = true;
  way_out all;
  all.needs_all = true;
  all.by = {{b, 0}, {c, 0}};
  waits_for(a, {all});
  waits(b, {a});
  EXPECT_THAT(outlooks(), ElementsAre(outlook::deadlock, outlook::deadlock));
}

TEST_F(WaitGraph, TheThreadThatHoldsALockCountsAndNotItsProcess) {
  const std::size_t a = process();
  const std::size_t b = process();
  graph_.parties[b].has_free_thread = true;  // which does not hold it
  way_out lock;
  lock.by = {{b, 7}};
  waits_for(a, {lock});
  waits(b, {a}, 7);
  EXPECT_THAT(outlooks(), ElementsAre(outlook::deadlock, outlook::deadlock));
}

TEST_F(WaitGraph, AnIdleWorkerHelpsIfSomebodyOfItsSessionMayAskIt) {
  const std::size_t a = process("one");
  const std::size_t idle = process("one");
  const std::size_t control = process("one");
  waits(a, {idle});
  EXPECT_THAT(outlooks(), ElementsAre(outlook::hopeless));
  graph_.parties[control].has_free_thread = true;
  EXPECT_THAT(outlooks(), ElementsAre(outlook::open));
  graph_.parties[control].realm = "another";
  EXPECT_THAT(outlooks(), ElementsAre(outlook::hopeless));
}

TEST_F(WaitGraph, SeparateCirclesAreToldApart) {
  std::vector<std::size_t> p;
  for (int i = 0; i < 5; ++i) p.push_back(process());
  waits(p[0], {p[1]});
  waits(p[2], {p[3]});
  waits(p[1], {p[0]});
  waits(p[3], {p[4]});
  waits(p[4], {p[2]});
  EXPECT_THAT(inspect::judge(graph_).circles, ElementsAre(ElementsAre(0U, 2U), ElementsAre(1U, 3U, 4U)));
}

/// Whoever is called stuck must be: nobody who acts can be reached from him. Looked for the slow way, in many graphs.
TEST_F(WaitGraph, OfAnyShapeIsJudgedAsASlowSearchJudgesIt) {
  std::mt19937 dice(5);
  for (int round = 0; round < 500; ++round) {
    graph_ = {};
    const std::size_t count = 2 + dice() % 6;
    for (std::size_t i = 0; i < count; ++i) process();
    for (std::size_t i = 0; i < count; ++i) {
      graph_.parties[i].has_free_thread = dice() % 6 == 0;
      graph_.parties[i].alive = dice() % 8 != 0;
      std::vector<std::size_t> others;
      for (std::size_t j = 0; j < count; ++j) {
        if (dice() % 3 == 0) others.push_back(j);
      }
      if (graph_.parties[i].alive) waits(i, others);
    }
    const inspect::verdict found = inspect::judge(graph_);
    for (std::size_t i = 0; i < graph_.threads.size(); ++i) {
      std::vector<bool> seen(count, false);
      std::vector<std::size_t> open{i};
      bool helped = false;
      while (!open.empty()) {
        const auto& thread = graph_.threads[open.back()];
        open.pop_back();
        for (const bringer& by : thread.ways.front().by) {
          const party& who = graph_.parties[by.who];
          if (!who.alive || seen[by.who]) continue;
          seen[by.who] = true;
          helped = helped || who.has_free_thread;
          for (std::size_t j = 0; j < graph_.threads.size(); ++j) {
            if (graph_.threads[j].who == by.who) open.push_back(j);
          }
        }
      }
      ASSERT_EQ(found.of[i] == outlook::open, helped) << "round " << round << ", thread " << i;
    }
  }
}

}  // namespace
}  // namespace weir::tests
