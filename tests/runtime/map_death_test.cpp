// SPDX-License-Identifier: BSL-1.0
// Workers that are killed, or removed, in the middle of a map.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "numbers.hpp"
#include "support/session.hpp"
#include "weir/channel.hpp"
#include "weir/map_options.hpp"

namespace weir::tests {
namespace {

using testing::AnyOf;
using testing::Each;
using testing::ElementsAre;
using testing::StartsWith;

class MapDeath : public SessionTest {};

void die() { ::kill(::getpid(), SIGKILL); }
int die_at_3(int item) {
  if (item == 3) die();
  return item;
}

/// An item, and a channel with as many bombs in it as workers are to die of the item.
struct armed {
  int item = 0;
  channel<int> bombs;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(item, bombs);
  }
};
std::vector<armed> armed_numbers(int count, int dangerous, int bombs) {
  std::vector<armed> all;
  for (const int i : numbers(count)) all.push_back({i, channel<int>(10)});
  for (int i = 0; i < bombs; ++i) all[static_cast<std::size_t>(dangerous)].bombs.put(i);
  return all;
}
int run_armed(armed a) {
  if (a.bombs.try_take()) die();
  return a.item;
}

TEST_F(MapDeath, TheItemsOfADeadWorkerAreDoneByAnother) {
  start(3);
  EXPECT_EQ(session().map(run_armed, armed_numbers(30, 7, 1), {.retries = 1}), numbers(30));
  EXPECT_EQ(session().workers().size(), 2U);
  EXPECT_EQ(session().map(run_armed, armed_numbers(30, 7, 1), {.batch_size = 4, .retries = 1}), numbers(30));
  EXPECT_EQ(session().workers().size(), 1U);
}

TEST_F(MapDeath, WithoutRetriesADeathEndsTheMap) {
  start(2);
  try {
    session().map(die_at_3, numbers(100));
    FAIL();
  } catch (const worker_died& e) {
    EXPECT_THAT(e.id(), AnyOf(2U, 3U));
    EXPECT_EQ(e.signal(), SIGKILL);
  }
  EXPECT_EQ(session().map([](int i) { return i; }, numbers(10)), numbers(10));
}

TEST_F(MapDeath, OnErrorSeesIt) {
  start(2);
  process_id died = 0;
  map_options options;
  options.on_error = [&](const map_failure& failure) {
    EXPECT_EQ(failure.index, 3U);
    EXPECT_EQ(failure.attempts, 1);
    try {
      std::rethrow_exception(failure.error);
    } catch (const worker_died& e) {
      died = e.id();
      EXPECT_EQ(failure.worker, e.id());
    }
    return -1;
  };
  EXPECT_THAT(session().map(die_at_3, numbers(6), options), ElementsAre(0, 1, 2, -1, 4, 5));
  EXPECT_NE(died, 0U);
  options.on_error = [](const std::exception& e) { return dynamic_cast<const worker_died*>(&e) != nullptr ? -2 : -3; };
  start(1);
  EXPECT_THAT(session().map(die_at_3, numbers(6), options), ElementsAre(0, 1, 2, -2, 4, 5));
}

TEST_F(MapDeath, AnItemThatKillsDoesNotUseUpTheTriesOfItsNeighbours) {
  start(3);
  std::vector<std::size_t> given_up;
  map_options options{.batch_size = 10, .retries = 1};
  options.on_error = [&](const map_failure& failure) {
    given_up.push_back(failure.index);
    return -1;
  };
  auto expected = numbers(30);
  expected[3] = -1;
  EXPECT_EQ(session().map(die_at_3, numbers(30), options), expected);
  EXPECT_THAT(given_up, ElementsAre(3U));
  EXPECT_EQ(session().workers().size(), 1U);
}

TEST_F(MapDeath, OfTheLastWorkerEndsTheMap) {
  start(1);
  try {
    session().map(die_at_3, numbers(100), {.retries = 5});
    FAIL();
  } catch (const worker_died& e) {
    EXPECT_EQ(e.id(), 2U);
    EXPECT_EQ(e.signal(), SIGKILL);
  }
}

TEST_F(MapDeath, OfTheLastWorkerGivesAllThatIsLeftToOnError) {
  start(1);
  std::vector<int> attempts;
  map_options options;
  options.on_error = [&](const map_failure& failure) {
    EXPECT_THROW(std::rethrow_exception(failure.error), worker_died);
    EXPECT_EQ(failure.worker, 2U);
    attempts.push_back(failure.attempts);
    return -1;
  };
  EXPECT_THAT(session().map(die_at_3, numbers(6), options), ElementsAre(0, 1, 2, -1, -1, -1));
  EXPECT_THAT(attempts, ElementsAre(1, 0, 0));
}

TEST_F(MapDeath, OnErrorMayStartAnotherWorker) {
  start(1);
  map_options options{.batch_size = 2};
  options.on_error = [&](const map_failure& /*failure*/) {
    if (session().workers().empty()) start(1);
    return -1;
  };
  EXPECT_THAT(session().map(die_at_3, numbers(8), options), ElementsAre(0, 1, -1, -1, 4, 5, 6, 7));
  EXPECT_EQ(session().workers(), std::vector{worker(3)});
}

/// Workers that are told to are slow to start.
const bool kStartedSlowly = [] {
  const bool slowly = std::getenv("WEIR_MAP_TEST_STARTS_SLOWLY") != nullptr;
  if (slowly) std::this_thread::sleep_for(std::chrono::milliseconds(500));
  return slowly;
}();

TEST_F(MapDeath, AWorkerThatIsBeingStartedIsWaitedFor) {
  EXPECT_FALSE(kStartedSlowly);
  const worker w2 = start(1).front();
  channel<int> begun(1);
  channel<int> gate(1);
  w2.fetch(
      [](channel<int> b, channel<int> g) {
        globals().set("begun", b);
        globals().set("gate", g);
      },
      begun, gate);
  const std::jthread adds([&] {
    begun.take();
    start(1, {.environment = {{"WEIR_MAP_TEST_STARTS_SLOWLY", "1"}}});
  });
  const std::jthread opens([&] {
    EXPECT_TRUE(comes_true([] {
      try {
        return worker(3).id() == 3;
      } catch (const not_found&) {
        return false;
      }
    }));
    gate.put(0);
  });
  const auto die_when_told = [](int /*item*/) {
    if (my_id() == 2) {
      globals().get<channel<int>>("begun").put(0);
      globals().get<channel<int>>("gate").take();
      die();
    }
    return my_id();
  };
  EXPECT_THAT(session().map(die_when_told, numbers(3), {.retries = 1}), Each(3U));
}

TEST_F(MapDeath, OfTheLastWorkerIsNotTheEndIfAnotherIsStartedForIt) {
  start(1);
  session().on_worker_exit([this](const worker_exit& exit) {
    if (!exit.expected) start(1);
  });
  EXPECT_EQ(session().map(run_armed, armed_numbers(20, 3, 3), {.batch_size = 2, .retries = 3}), numbers(20));
  EXPECT_EQ(session().workers(), std::vector{worker(5)});
}

TEST_F(MapDeath, InAFunctionOfOnWorkerExitEndsWithTheLastWorkerToo) {
  const worker w2 = start(1).front();
  std::atomic<bool> seen{false};
  session().on_worker_exit([&](const worker_exit& exit) {
    if (exit.id != 2) return;
    start(1);
    try {
      session().map(die_at_3, numbers(10));
    } catch (const worker_died& e) {
      seen = e.id() == 3;
    }
  });
  w2.post(die);
  EXPECT_TRUE(comes_true([&] { return seen.load(); }));
}

TEST_F(MapDeath, NamedWorkersThatHaveAllGoneAreAnError) {
  const auto all = start(2);
  ::kill(all[0].fetch([] { return ::getpid(); }), SIGKILL);
  ASSERT_TRUE(comes_true([&] { return session().workers().size() == 1; }));
  EXPECT_THROW(session().map(die_at_3, numbers(2), {.workers = {all[0]}}), worker_died);
  EXPECT_EQ(session().map([](int i) { return i; }, numbers(5), {.workers = {all[0], all[1]}}), numbers(5));
}

TEST_F(MapDeath, AWorkerThatIsRemovedFinishesWhatItHasBegun) {
  const auto all = start(2);
  map_options options{.batch_size = 2};
  options.on_progress = [&](std::size_t done, std::size_t /*total*/) {
    if (done == 10) session().remove_workers(all[0]);
  };
  EXPECT_EQ(session().map([](int i) { return i; }, numbers(100), options), numbers(100));
  EXPECT_FALSE(all[0].is_alive());
}

TEST_F(MapDeath, OfAWorkerWithNothingToDoCostsNothing) {
  const auto all = start(2);
  const pid_t idle = all[1].fetch([] { return ::getpid(); });
  channel<int> gate(1);
  all[0].fetch([](channel<int> ch) { globals().set("gate", ch); }, gate);
  // One item, which goes to the first worker, and waits there until the other is dead.
  std::jthread kills([&] {
    ::kill(idle, SIGKILL);
    comes_true([&] { return !all[1].is_alive(); });
    gate.put(0);
  });
  EXPECT_EQ(session().map(
                [](int i) {
                  globals().get<channel<int>>("gate").take();
                  return i;
                },
                numbers(1)),
            numbers(1));
}

}  // namespace
}  // namespace weir::tests
