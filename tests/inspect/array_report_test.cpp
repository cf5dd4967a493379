// SPDX-License-Identifier: BSL-1.0
// What the inspector, and the command, say of arrays: sound ones, those that the dead have left, damaged ones.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <string>

#include "array/array_layout.hpp"
#include "inspect/array.hpp"
#include "inspect/segments.hpp"
#include "support/child.hpp"
#include "support/names.hpp"
#include "weir/array.hpp"
#include "weir/error.hpp"

namespace weir::tests {
namespace {

using arrays::array_header;
using inspect::segment_state;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using grid = weir::array<double, 2>;

class ArrayReport : public NamedSegments {
 protected:
  [[nodiscard]] inspect::array_report look() const { return inspect::describe_array(name()); }
  template <class T>
  void overwrite(std::size_t offset, T value) const {
    const shm::unique_fd file(::open(path().c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(::pwrite(file.get(), &value, sizeof value, static_cast<off_t>(offset)),
              static_cast<ssize_t>(sizeof value));
  }
};
using DamagedArray = ArrayReport;

TEST_F(ArrayReport, SaysTypeExtentsOrderMemoryAndWhoHasIt) {
  const auto a = grid::create(name(), {10, 20}, {.order = order::column_major});
  const auto report = look();
  ASSERT_TRUE(report.readable) << report.segment.why;
  EXPECT_EQ(report.segment.state, segment_state::alive);
  EXPECT_EQ(report.segment.header->type, "weir::array<double, 2>");
  EXPECT_THAT(report.extents, ElementsAre(10, 20));
  EXPECT_EQ(report.constants.order, order::column_major);
  EXPECT_EQ(report.segment.items, 200U);
  EXPECT_EQ(report.segment.used_bytes, 1600U);
  ASSERT_THAT(report.seats, SizeIs(1));
  EXPECT_EQ(report.seats[0].who, shm::this_process());
  EXPECT_EQ(report.seats[0].life, shm::liveness::alive);
  EXPECT_FALSE(report.lock.held);
  EXPECT_THAT(report.problems, IsEmpty());
}

TEST_F(ArrayReport, FollowsAResize) {
  const auto a = grid::create(name(), {10, 20});
  a.resize_rows(30);
  EXPECT_THAT(look().extents, ElementsAre(30, 20));
}

TEST_F(ArrayReport, NamesTheHolderOfTheLockAndThoseWhoShareIt) {
  const auto a = grid::create(name(), {1, 1});
  {
    const auto lock = a.lock();
    const auto report = look();
    EXPECT_TRUE(report.lock.held);
    EXPECT_EQ(report.lock.pid, ::getpid());
    EXPECT_TRUE(report.locked_alone);
  }
  const auto lock = a.lock_shared();
  EXPECT_EQ(look().seats.at(0).sharers, 1U);
  EXPECT_FALSE(look().locked_alone);
}

TEST_F(ArrayReport, OfOneThatNobodyHasOpenIsIdle) {
  { grid::create(name(), {2, 2}); }
  EXPECT_EQ(look().segment.state, segment_state::idle);
}

TEST_F(ArrayReport, SaysThatTheHolderOfTheLockIsDead) {
  child victim([&] {
    const auto a = grid::create(name(), {2, 2});
    a.mutex().lock();
    ::raise(SIGKILL);
    return 0;
  });
  const pid_t dead = victim.pid();
  victim.wait();
  const auto report = look();
  EXPECT_TRUE(report.locked_alone);
  EXPECT_EQ(report.lock.life, shm::liveness::dead);
  EXPECT_EQ(report.lock.thread, dead);
  EXPECT_THAT(report.problems, Contains(HasSubstr("died that had it locked")));
  EXPECT_THAT(report.seats, IsEmpty());
}

TEST_F(ArrayReport, SaysThatADeadProcessSharesTheLock) {
  child victim([&] {
    const auto a = grid::create(name(), {2, 2});
    a.mutex().lock_shared();
    ::raise(SIGKILL);
    return 0;
  });
  victim.wait();
  EXPECT_THAT(look().problems, Contains(HasSubstr("is dead, shares the lock")));
}

TEST_F(ArrayReport, IsInTheListOfAllSegments) {
  const auto a = grid::create(name(), {2, 3});
  const auto all = inspect::list(name());
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].items, 6U);
  EXPECT_EQ(all[0].state, segment_state::alive);
}

TEST_F(DamagedArray, IsRefusedByOpenAndReportedWhateverFieldIsWrong) {
  constexpr std::size_t kAt = arrays::kHeaderOffset;
  struct damage {
    std::size_t offset;
    std::uint64_t value;
    std::size_t bytes;
  };
  const damage all[] = {{offsetof(array_header, rank), 0, 4},
                        {offsetof(array_header, rank), 9, 4},
                        {offsetof(array_header, rank), 3, 4},
                        {offsetof(array_header, order), 3, 4},
                        {offsetof(array_header, element_bytes), 0, 8},
                        {offsetof(array_header, element_bytes), ~0ULL, 8},
                        {offsetof(array_header, data_offset), 0, 8},
                        {offsetof(array_header, row_bytes), 1, 8},
                        {offsetof(array_header, data_offset), arrays::kDataOffset + 8, 8},
                        {offsetof(array_header, data_offset), arrays::kDataOffset + shm::kPage, 8},
                        {offsetof(array_header, data_offset), arrays::kDataOffset - arrays::kStagger, 8},
                        {offsetof(array_header, max_rows), 1, 8},
                        {offsetof(array_header, max_rows), ~0ULL, 8},
                        {offsetof(array_header, extents) + 8, 0, 8},
                        {offsetof(array_header, extents) + 8, ~0ULL, 8},
                        {offsetof(array_header, extents) + 16, 1, 8},
                        {offsetof(array_header, file_bound), 1, 4},
                        {offsetof(array_header, path_bytes), 5000, 4}};
  for (const damage& each : all) {
    grid::create(name(), {4, 5});
    if (each.bytes == 4) overwrite(kAt + each.offset, static_cast<std::uint32_t>(each.value));
    if (each.bytes == 8) overwrite(kAt + each.offset, each.value);
    EXPECT_THROW(grid::open(name()), corrupt_segment) << each.offset << ' ' << each.value;
    const auto report = look();
    EXPECT_EQ(report.segment.state, segment_state::corrupt) << each.offset << ' ' << each.value;
    EXPECT_FALSE(report.segment.why.empty());
    grid::remove(name());
  }
}

TEST_F(DamagedArray, WithImpossibleRowsThrowsAtTheNextLook) {
  const auto a = grid::create(name(), {4, 5});
  overwrite(arrays::kHeaderOffset + offsetof(array_header, rows), ~std::uint64_t{0});
  EXPECT_THROW(static_cast<void>(a.size()), corrupt_segment);
  EXPECT_THROW(static_cast<void>(a.at(0, 0)), corrupt_segment);
  EXPECT_EQ(look().segment.state, segment_state::corrupt);
}

TEST_F(DamagedArray, WithALockThatIsNoneThrowsInsteadOfHanging) {
  const auto a = grid::create(name(), {4, 5});
  overwrite(arrays::kHeaderOffset + offsetof(array_header, gate) + 16, ~std::uint64_t{0});
  EXPECT_THROW(static_cast<void>(a.lock()), corrupt_segment);
  EXPECT_THAT(look().problems, Contains(HasSubstr("not a mutex that weir made")));
}

TEST_F(DamagedArray, CutShortIsReported) {
  { grid::create(name(), {4, 5}); }
  ASSERT_EQ(::truncate(path().c_str(), 5000), 0);
  EXPECT_THROW(grid::open(name()), corrupt_segment);
  EXPECT_EQ(look().segment.state, segment_state::corrupt);
}

}  // namespace
}  // namespace weir::tests
