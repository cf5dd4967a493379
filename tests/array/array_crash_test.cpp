// SPDX-License-Identifier: BSL-1.0
// A process is killed at each point of the arrays' code. Whatever it was doing, the others get the lock, see whole rows,
// keep the contents, and nothing is left that cannot be removed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <limits>
#include <mutex>
#include <shared_mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "array/array_core.hpp"
#include "array/attach.hpp"
#include "segment/segment.hpp"
#include "support/child.hpp"
#include "support/crash.hpp"
#include "support/names.hpp"
#include "weir/array.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;
using ints = weir::array<int, 2>;

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  for (char& c : name) c = c == '.' ? '_' : c;
  return name;
}

class ArrayCrash : public NamedSegments, public testing::WithParamInterface<std::string> {
 protected:
  static constexpr int kColumns = 1500;  // rows do not end where pages do

  ArrayCrash() : array_(ints::create(name(), {3, kColumns})) { array_.fill(5); }

  /// Runs `f` in a process that is killed at the point.
  static void kill_at(const std::string& point, const std::function<void()>& f) {
    child victim([&] {
      die_at(point);
      f();
      return 0;
    });
    const int status = victim.wait();
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << point << " was never passed: " << status;
  }
  static void kill_here(const std::function<void()>& f) { kill_at(GetParam(), f); }

  /// The lock can be had, alone and shared, by this process and by a new one; the contents are there.
  void expect_whole() const {
    for (int i = 0; i < 2; ++i) {
      std::unique_lock alone(array_.mutex(), kWatchdog);
      ASSERT_TRUE(alone.owns_lock());
      alone.unlock();
      std::shared_lock shared(array_.mutex(), kWatchdog);
      ASSERT_TRUE(shared.owns_lock());
    }
    child other([this] {
      const auto own = ints::open(name());
      const bool had = own.mutex().try_lock();
      if (had) own.mutex().unlock();
      return had && own.at(2, kColumns - 1) == 5 ? 0 : 1;
    });
    EXPECT_EQ(other.wait(), 0);
    EXPECT_EQ(array_.at(0, 0), 5);
  }
  /// As the sweep does; a session that starts in another test may be quicker.
  static void remove(const std::string& left) {
    try {
      if (shm::look_at_segment("look", left, shm::access::read).header->removed.load() != 0) {
        shm::segment::remove("remove", left);
        return;
      }
    } catch (const not_found&) {
      return;
    }
    EXPECT_NE(detail::remove_abandoned_array(left, std::numeric_limits<std::int32_t>::max()),
              detail::abandoned_array::in_use);
  }
  [[nodiscard]] bool says_owner_died() const {
    const std::scoped_lock lock(array_.mutex());
    return array_.mutex().owner_died();
  }
  [[nodiscard]] std::vector<std::string> others_segments() const {
    std::vector<std::string> all;
    for (const std::string& each : shm::list_segments("@")) {
      try {
        const auto look = shm::look_at_segment("look", each, shm::access::read);
        if (look.header->creator.pid == victim_ && look.header->kind == shm::object_kind::array) all.push_back(each);
      } catch (const error&) {
        continue;  // another test's, going
      }
    }
    return all;
  }
  /// As kill_here(); unnamed arrays that the victim made can be removed afterwards, whatever it was doing.
  void kill_maker_here(const std::function<void()>& f) {
    child victim([&] {
      die_at(GetParam());
      f();
      return 0;
    });
    victim_ = victim.pid();
    const int status = victim.wait();
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << GetParam() << " was never passed: " << status;
    for (const std::string& left : others_segments()) remove(left);
    EXPECT_THAT(others_segments(), testing::IsEmpty());
  }

  ints array_;
  pid_t victim_ = 0;
};

// ---- coming and going

using KilledComing = ArrayCrash;
TEST_P(KilledComing, LeavesItsSeatToOthers) {
  kill_here([this] { ints::open(name())(1, 1) = 5; });
  expect_whole();
  EXPECT_FALSE(says_owner_died());
  EXPECT_LE((detail::array_access<int, 2>::core(array_)->header().seats_high.load()), 2U);
}
INSTANTIATE_TEST_SUITE_P(AtEachPoint, KilledComing,
                         testing::Values("array.seat.locked", "array.seat.described", "array.seat.taken",
                                         "array.seat.high", "array.leaving"),
                         test_name);

using KilledMaking = ArrayCrash;
TEST_P(KilledMaking, LeavesNothingThatCannotBeRemoved) {
  kill_maker_here([] { const weir::array<int> made(10); });
}
INSTANTIATE_TEST_SUITE_P(AtEachPoint, KilledMaking,
                         testing::Values("segment.create.filled", "segment.create.linked", "array.seat.locked",
                                         "array.seat.described", "array.seat.high", "array.leaving", "array.seat.left",
                                         "array.alone", "segment.remove.begin", "segment.remove.marked",
                                         "segment.remove.unlinked", "array.left"),
                         test_name);

using KilledSending = ArrayCrash;
TEST_P(KilledSending, LeavesNothingThatCannotBeRemoved) {
  auto box = weir::channel<weir::array<int>>::create(name("box"), 1);
  kill_maker_here([this] {
    auto own = weir::channel<weir::array<int>>::open(name("box"));
    own.put(weir::array<int>(4));
    static_cast<void>(own.take());
  });
}
INSTANTIATE_TEST_SUITE_P(AtEachPoint, KilledSending, testing::Values("array.pinned", "array.unpinned"), test_name);

// ---- the lock

using KilledLocking = ArrayCrash;
TEST_P(KilledLocking, LeavesTheLockToOthersWhoAreToldIfItHadIt) {
  kill_here([this] {
    const auto own = ints::open(name());
    own.mutex().lock();
    own.mutex().unlock();
  });
  const std::string& point = GetParam();
  const bool had_it = point == "array.lock.writer" || point == "array.lock.held" || point == "array.lock.releasing";
  EXPECT_EQ(says_owner_died(), had_it);
  expect_whole();
  EXPECT_FALSE(says_owner_died());
}
INSTANTIATE_TEST_SUITE_P(AtEachPoint, KilledLocking,
                         testing::Values("array.lock.gate", "array.lock.writer", "array.lock.held",
                                         "array.lock.releasing", "array.lock.released", "mutex.locked",
                                         "mutex.unlocking", "mutex.unlocked"),
                         test_name);

using KilledInheriting = ArrayCrash;
TEST_P(KilledInheriting, LeavesItToTheNextWhoIsToldOfTheFirstDeath) {
  const auto lock = [this] {
    const auto own = ints::open(name());
    own.mutex().lock();
    own.mutex().unlock();
  };
  kill_at("array.lock.held", lock);
  kill_here(lock);
  EXPECT_TRUE(says_owner_died());
  expect_whole();
}
INSTANTIATE_TEST_SUITE_P(AtEachPoint, KilledInheriting,
                         testing::Values("mutex.inherited", "mutex.damaged", "mutex.consistent", "mutex.damage.taken",
                                         "array.lock.inherited", "array.lock.marked", "array.lock.gate",
                                         "array.lock.writer"),
                         test_name);

using KilledSharing = ArrayCrash;
TEST_P(KilledSharing, IsNotWaitedFor) {
  kill_here([this] {
    const auto own = ints::open(name());
    own.mutex().lock_shared();
    own.mutex().unlock_shared();
  });
  expect_whole();
  EXPECT_FALSE(says_owner_died());
}
INSTANTIATE_TEST_SUITE_P(AtEachPoint, KilledSharing,
                         testing::Values("array.share.counted", "array.share.releasing", "array.share.released"),
                         test_name);

using KilledSharingAfterADeath = ArrayCrash;
TEST_P(KilledSharingAfterADeath, IsNotWaitedFor) {
  kill_at("array.lock.held", [this] { ints::open(name()).mutex().lock(); });
  kill_here([this] {
    const auto own = ints::open(name());
    own.mutex().lock_shared();
    own.mutex().unlock_shared();
  });
  EXPECT_TRUE(says_owner_died());
  expect_whole();
}
INSTANTIATE_TEST_SUITE_P(AtEachPoint, KilledSharingAfterADeath,
                         testing::Values("array.lock.inherited", "array.lock.marked", "array.share.gate",
                                         "array.share.entered", "array.share.releasing"),
                         test_name);

using KilledTakingOffTheDead = ArrayCrash;
TEST_P(KilledTakingOffTheDead, LeavesItToTheNext) {
  // It has come before, since a newcomer in the dead one's seat would not see its share.
  child victim([this] {
    const auto own = ints::open(name());
    own.atomic(1, 0) = 1;
    while (own.atomic(1, 0) != 2) std::this_thread::yield();
    die_at(GetParam());
    own.mutex().lock();
    return 0;
  });
  while (array_.atomic(1, 0) != 1) std::this_thread::yield();
  kill_at("array.share.counted", [this] { ints::open(name()).mutex().lock_shared(); });
  array_.atomic(1, 0) = 2;
  const int status = victim.wait();
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  expect_whole();
}
INSTANTIATE_TEST_SUITE_P(AtEachPoint, KilledTakingOffTheDead,
                         testing::Values("array.share.clearing", "array.share.cleared"), test_name);

using KilledWaitingForSharers = ArrayCrash;
TEST_P(KilledWaitingForSharers, IsInNobodysWay) {
  {
    const auto shared = array_.lock_shared();
    kill_here([this] { ints::open(name()).mutex().lock(); });
    EXPECT_TRUE(array_.mutex().try_lock_shared());
    array_.mutex().unlock_shared();
  }
  expect_whole();
}
INSTANTIATE_TEST_SUITE_P(AtEachPoint, KilledWaitingForSharers, testing::Values("shared_event.marked"), test_name);

// ---- resizing

class KilledResizing : public ArrayCrash {
 protected:
  void expect_rows_of_old_and_zeros_after() {
    EXPECT_THAT(array_.extent(0), testing::AnyOf(2U, 3U, 6U));
    array_.resize_rows(2);
    array_.resize_rows(8);
    for (std::size_t j = 0; j < kColumns; ++j) {
      for (std::size_t i = 0; i < 2; ++i) ASSERT_EQ(array_(i, j), 5) << i << ' ' << j;
      for (std::size_t i = 2; i < 8; ++i) ASSERT_EQ(array_(i, j), 0) << i << ' ' << j;
    }
    for (std::size_t j = 0; j < kColumns; ++j) array_(2, j) = 5;
    expect_whole();
  }
};
TEST_P(KilledResizing, MoreRowsLeavesOldOrNewOnesWhole) {
  kill_here([this] { ints::open(name()).resize_rows(6); });
  if (array_.extent(0) == 6) {
    for (std::size_t j = 0; j < kColumns; ++j) ASSERT_EQ(array_(5, j), 0);
  }
  expect_rows_of_old_and_zeros_after();
}
INSTANTIATE_TEST_SUITE_P(AtEachPoint, KilledResizing,
                         testing::Values("array.resizing", "array.rows.cleared", "space.given_back", "space.reserving",
                                         "space.reserved", "array.rows.made", "array.rows.stored"),
                         test_name);

using KilledShrinking = KilledResizing;
TEST_P(KilledShrinking, LeavesOldOrNewRowsWholeAndNothingStaleBehindThem) {
  kill_here([this] { ints::open(name()).resize_rows(2); });
  expect_rows_of_old_and_zeros_after();
}
INSTANTIATE_TEST_SUITE_P(AtEachPoint, KilledShrinking,
                         testing::Values("array.resizing", "array.rows.made", "array.rows.stored", "space.given_back",
                                         "array.rows.given_back"),
                         test_name);

// ---- files

class KilledWithAFile : public ArrayCrash {
 protected:
  KilledWithAFile() {
    std::string made = (std::filesystem::temp_directory_path() / "weir-array-XXXXXX").string();
    folder_ = ::mkdtemp(made.data());
  }
  ~KilledWithAFile() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::filesystem::path path() const { return folder_ / "it"; }
  std::filesystem::path folder_;
};
TEST_P(KilledWithAFile, LeavesNoneOrAWholeOneThatOthersMap) {
  kill_here([this] {
    const auto own = weir::array<int>::map_file(path(), 100);
    own.resize_rows(200);
    own(150) = 1;
  });
  const std::size_t rows = std::filesystem::exists(path()) && std::filesystem::file_size(path()) == 800 ? 200 : 100;
  const auto a = weir::array<int>::map_file(path(), rows);
  EXPECT_THAT(a.span(), testing::Each(0));
  EXPECT_TRUE(a.mutex().try_lock());
  a.mutex().unlock();
  a.resize_rows(300);
  EXPECT_EQ(a.at(299), 0);
}
INSTANTIATE_TEST_SUITE_P(AtEachPoint, KilledWithAFile,
                         testing::Values("array.file.opened", "array.file.made", "array.file.linked",
                                         "array.file.bound", "array.seat.taken", "array.file.lengthened",
                                         "array.rows.made", "array.rows.stored"),
                         test_name);

using KilledWritingNpy = KilledWithAFile;
TEST_P(KilledWritingNpy, LeavesTheOldFileOrTheNewOne) {
  weir::array<int>(3).write_npy(path());
  kill_maker_here([this] { weir::array<int>(5).write_npy(path()); });
  const std::size_t size = weir::array<int>::map_npy(path()).size();
  EXPECT_EQ(size, GetParam() == "array.npy.renamed" ? 5U : 3U);
}
INSTANTIATE_TEST_SUITE_P(AtEachPoint, KilledWritingNpy,
                         testing::Values("array.npy.opened", "array.npy.written", "array.npy.renamed"), test_name);

}  // namespace
}  // namespace weir::tests
