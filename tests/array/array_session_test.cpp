// SPDX-License-Identifier: BSL-1.0
// Arrays on workers, in calls and results; what outlives whom.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>

#include "segment/segment.hpp"
#include "support/leftovers.hpp"
#include "support/session.hpp"
#include "weir/array.hpp"
#include "weir/channel.hpp"
#include "weir/globals.hpp"
#include "weir/session.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;
using grid = weir::array<double, 2>;
using runtime::fate;
using testing::HasSubstr;
using testing::IsEmpty;

class ArraySession : public SessionTest {};

int pid() { return static_cast<int>(::getpid()); }

TEST_F(ArraySession, SendsArraysAsHandlesThatBothSidesWriteThrough) {
  const auto w = start(1).front();
  const grid a({2, 2});
  w.fetch([](const grid& g) { g(1, 1) = 3; }, a);
  EXPECT_EQ(a(1, 1), 3);
}

TEST_F(ArraySession, GetsArraysBackAsResults) {
  const auto w = start(1).front();
  const grid a = w.fetch(
      [](int n) {
        grid made({n, n});
        made(0, 1) = 7;
        return made;
      },
      3);
  EXPECT_EQ(a(0, 1), 7);
  EXPECT_EQ(a.where(), w.id());
  EXPECT_EQ(a.whence(), w.id());
  EXPECT_EQ(a.extents(), (std::array<std::size_t, 2>{3, 3}));
}

TEST_F(ArraySession, PassesAnArrayFromWorkerToWorker) {
  const auto workers = start(2);
  weir::channel<grid> between(1);
  workers[0].post(
      [](channel<grid> to) {
        grid g({2, 2});
        g(0, 0) = 5;
        to.put(g);
      },
      between);
  EXPECT_EQ(workers[1].fetch([](channel<grid> from) { return from.take()(0, 0); }, between), 5);
}

TEST_F(ArraySession, OnAWorkerLivesThereAndIsZeroFilled) {
  const auto w = start(1).front();
  const auto a = grid::on(w, {100, 100});
  EXPECT_EQ(a.where(), w.id());
  EXPECT_EQ(a.whence(), my_id());
  EXPECT_THAT(a.span(), testing::Each(0.0));
  EXPECT_GE(shm::segment::open("look", a.name(), shm::object_kind::array).memory(), 80'000U);
}

TEST_F(ArraySession, OnAWorkerThatHasGoneThrowsWorkerDied) {
  const auto w = start(1).front();
  session().remove_workers({w});
  EXPECT_THROW(grid::on(w, {2, 2}), worker_died);
}

TEST_F(ArraySession, ContentsSurviveTheWorkerAndANewOneCarriesOn) {
  const auto first = start(1).front();
  const auto a = grid::on(first, {4, 4});
  const int victim = first.fetch(
      [](const grid& g) {
        g.fill(2);
        return static_cast<int>(::getpid());
      },
      a);
  ::kill(victim, SIGKILL);
  ASSERT_TRUE(comes_true([&] { return !first.is_alive(); }));
  EXPECT_THAT(a.span(), testing::Each(2.0));
  const auto second = start(1).front();
  EXPECT_EQ(second.fetch([](const grid& g) { return g(3, 3) += 1; }, a), 3.0);
}

TEST_F(ArraySession, AWorkerKilledWithTheLockLeavesItToTheOthersAtOnce) {
  const auto workers = start(2);
  const grid a({2, 2});
  const int victim = workers[0].fetch(pid);
  workers[0].fetch(
      [](const grid& g) {
        static const grid kept = g;
        kept.mutex().lock();
        kept(0, 0) = 1;
      },
      a);
  EXPECT_FALSE(a.mutex().try_lock());
  const auto waiting = workers[1].call(
      [](const grid& g) {
        const auto lock = g.lock();
        return g.mutex().owner_died() && g(0, 0) == 1;
      },
      a);
  ::kill(victim, SIGKILL);
  EXPECT_TRUE(waiting.get());
}

TEST_F(ArraySession, AWorkerThatWaitsForTheLockRunsItsNextCall) {
  const auto w = start(1).front();
  const grid a({2, 2});
  const auto lock = a.lock();
  const auto waiting = w.call(
      [](const grid& g) {
        const std::scoped_lock held(g.mutex());
        return 1;
      },
      a);
  EXPECT_EQ(w.fetch([](int x) { return x + 1; }, 4), 5);
  EXPECT_FALSE(waiting.is_ready());
  a.mutex().unlock();
  EXPECT_EQ(waiting.get(), 1);
  a.mutex().lock();  // for the guard above
}

TEST_F(ArraySession, ResizedByAWorkerIsResizedHere) {
  const auto w = start(1).front();
  const grid a({2, 2});
  w.fetch(
      [](const grid& g) {
        g.resize_rows(1000);
        g(999, 1) = 4;
      },
      a);
  EXPECT_EQ(a.at(999, 1), 4);
}

TEST_F(ArraySession, UnnamedArraysThatNobodyHasGoWithTheSession) {
  const auto w = start(1).front();
  w.fetch([] { static const grid kept({2, 2}); });
  const grid here({3, 3});
  here(1, 1) = 1;
  // The worker's goes, this process's own stays until its handle goes (what end_session() of the fixture shows).
}

// ---- what killed processes leave

TEST(AnUnnamedArray, OfAKilledProcessGoes) {
  in_own_memory([] {
    killed_after([] {
      const grid made({2, 2});
      ::raise(SIGKILL);
    });
    ASSERT_EQ(segments().size(), 1U);
    const std::string name = segments().front();
    EXPECT_THAT(of(sweep_all(), name).why, HasSubstr("no process has it"));
    EXPECT_THAT(segments(), IsEmpty());
  });
}

TEST(AnUnnamedArray, OfALivingProcessStays) {
  in_own_memory([] {
    const grid made({2, 2});
    EXPECT_EQ(of(sweep_all(), made.name()).what, fate::kept);
    EXPECT_EQ(segments().size(), 1U);
    EXPECT_EQ(made.size(), 4U);
  });
}

TEST(AnUnnamedArray, StaysWhileAReferenceToItLiesInANamedChannel) {
  in_own_memory([] {
    killed_after([] {
      auto ch = channel<grid>::create("box", 1);
      grid made({2, 2});
      made(1, 0) = 6;
      ch.put(made);
      ::raise(SIGKILL);
    });
    sweep_all();
    EXPECT_EQ(segments().size(), 2U);
    EXPECT_EQ(channel<grid>::open("box").take()(1, 0), 6);
    EXPECT_EQ(segments().size(), 1U);
  });
}

TEST(AnUnnamedArray, WhoseReferenceDiedWithItsSenderGoes) {
  in_own_memory([] {
    killed_after([] {
      const grid made({2, 2});
      static_cast<void>(detail::pin_array(detail::array_access<double, 2>::core(made)));
      ::raise(SIGKILL);
    });
    sweep_all();
    EXPECT_THAT(segments(), IsEmpty());
  });
}

TEST(ANamedArray, StaysWhoeverIsDead) {
  in_own_memory([] {
    killed_after([] {
      grid::create("field", {2, 2})(0, 1) = 3;
      ::raise(SIGKILL);
    });
    sweep_all();
    EXPECT_EQ(grid::open("field")(0, 1), 3);
  });
}

TEST(AnArrayInAFile, LeavesNoSegmentBehindWhenItsProcessesWereKilled) {
  in_own_memory([] {
    const std::string path = "/tmp/weir-array-session-test." + std::to_string(::getpid());
    killed_after([&] {
      const auto made = grid::map_file(path, {2, 2});
      made(1, 1) = 4;
      ::raise(SIGKILL);
    });
    EXPECT_EQ(segments().size(), 1U);
    runtime::remove_leftovers();
    EXPECT_THAT(segments(), IsEmpty());
    EXPECT_EQ(grid::map_file(path, {2, 2})(1, 1), 4);
    ::unlink(path.c_str());
  });
}

TEST(ASession, ThatEndsLeavesAnotherSessionsArraysAlone) {
  in_own_memory([] {
    auto box = channel<grid>::create("box", 1);
    auto has_it = channel<bool>::create("has_it", 1);
    child other([] {
      {
        session mine;
        grid made({2, 2});
        made(0, 0) = 8;
        channel<grid>::open("box").put(made);
        channel<bool>::open("has_it").take();  // what nobody has when a session ends goes with it
      }
      return 0;
    });
    const grid got = box.take();
    has_it.put(true);
    EXPECT_EQ(other.wait(), 0);
    sweep_all();
    EXPECT_EQ(got.at(0, 0), 8);
  });
}

TEST(ASession, LeavesNoArrayBehindThatAGlobalHeldWhenItsProcessEnded) {
  in_own_memory([] {
    child other([]() -> int {
      {
        session mine;
        globals().set("kept", grid({2, 2}));
      }
      std::exit(0);
    });
    EXPECT_EQ(other.wait(), 0);
    EXPECT_THAT(shm::list_segments(), IsEmpty());
  });
}

}  // namespace
}  // namespace weir::tests
