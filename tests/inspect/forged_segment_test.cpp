// SPDX-License-Identifier: BSL-1.0
// Segments whose bytes cannot be: each must be reported with what is wrong, and none may crash or hang the inspector.
#include <sys/stat.h>

#include <array>
#include <fstream>
#include <random>

#include "inspect/channel_fixture.hpp"
#include "inspect/segments.hpp"
#include "inspect/session.hpp"

namespace weir::tests {
namespace {

using channels::block_entry;
using channels::block_phase;
using channels::channel_header;
using channels::make_block_word;
using channels::make_meta;
using channels::make_state;
using channels::make_view;
using channels::phase;
using channels::view_phase;
using inspect::segment_state;
using shm::segment_header;
using testing::Contains;
using testing::HasSubstr;

class ForgedSegment : public InspectedChannel {
 protected:
  static constexpr std::size_t kCapacity = 4;

  /// A sound channel with a long item in slot 0 and a short one in slot 1, which nobody has open.
  void SetUp() override {
    const auto channel = make(strings(), kCapacity);
    put_text(*channel, kLong);
    put_text(*channel, 3);
    geometry_ = look().geometry;
  }
  void make_anew() {
    ASSERT_EQ(::unlink(path().c_str()), 0);
    SetUp();
  }
  [[nodiscard]] std::size_t slot(std::size_t index) const { return geometry_.offset_of_slot(index); }
  [[nodiscard]] std::size_t block(std::size_t index) const {
    return geometry_.block_table_offset + index * sizeof(block_entry);
  }

  void expect(segment_state state, const std::string& why) const {
    for (const inspect::segment_report& report :
         {inspect::look_at(name()), inspect::describe_channel(name()).segment}) {
      EXPECT_STREQ(text_of(report.state), inspect::text_of(state)) << report.why;
      EXPECT_THAT(report.why, HasSubstr(why));
    }
    EXPECT_FALSE(inspect::describe_channel(name()).readable);
    EXPECT_FALSE(inspect::describe_session(name()).readable);
  }
  void expect_corrupt(const std::string& why) const { expect(segment_state::corrupt, why); }
  void expect_problem(const std::string& text) const { EXPECT_THAT(look().problems, Contains(HasSubstr(text))); }
  void expect_only_problem(const std::string& text) const {
    EXPECT_THAT(look().problems, testing::ElementsAre(HasSubstr(text)));
  }

  channels::channel_geometry geometry_;
};

// ---- the file and the common header

TEST_F(ForgedSegment, CutToNothingIsCorrupt) {
  ASSERT_EQ(::truncate(path().c_str(), 0), 0);
  expect_corrupt("the file has 0 bytes, fewer than a header's 4096");
}

TEST_F(ForgedSegment, CutInItsHeaderIsCorrupt) {
  ASSERT_EQ(::truncate(path().c_str(), 100), 0);
  expect_corrupt("the file has 100 bytes");
}

TEST_F(ForgedSegment, CutBehindItsHeaderIsCorrupt) {
  ASSERT_EQ(::truncate(path().c_str(), static_cast<off_t>(slot(1))), 0);
  expect_corrupt("its header says");
}

TEST_F(ForgedSegment, CutAndMadeToSaySoIsCorrupt) {
  for (const std::uint64_t bytes : {std::uint64_t{4096}, std::uint64_t{8192}, geometry_.slots_offset}) {
    ASSERT_EQ(::truncate(path().c_str(), static_cast<off_t>(bytes)), 0);
    overwrite(offsetof(segment_header, file_bytes), bytes);
    expect_corrupt(bytes == 4096 ? "fewer than a channel's header" : "header contradicts itself");
    make_anew();
  }
}

TEST_F(ForgedSegment, ZeroedIsCorrupt) {
  overwrite(0, std::array<std::byte, sizeof(segment_header)>{});
  expect_corrupt("empty: zeroed, or never finished");
}

TEST_F(ForgedSegment, WithoutItsMagicIsHalfMade) {
  overwrite(offsetof(segment_header, magic), std::uint64_t{0});
  expect_corrupt("never finished");
}

TEST_F(ForgedSegment, WithAnotherMagicIsNotWeirs) {
  overwrite(offsetof(segment_header, magic), std::uint64_t{0x1122334455667788});
  expect_corrupt("it begins with 0x1122334455667788");
}

TEST_F(ForgedSegment, OfAnotherLayoutSaysBothNumbers) {
  overwrite(offsetof(segment_header, layout), shm::kLayout + 6);
  expect(segment_state::other_layout,
         fmt::format("it has layout {}, this build reads {}", shm::kLayout + 6, shm::kLayout));
}

TEST_F(ForgedSegment, OfAnUnknownKindIsCorrupt) {
  overwrite(offsetof(segment_header, kind), std::uint32_t{77});
  expect_corrupt("unknown kind 77");
}

TEST_F(ForgedSegment, WithLengthsOutOfRangeIsCorrupt) {
  for (const std::size_t field : {offsetof(segment_header, name_bytes), offsetof(segment_header, type_bytes),
                                  offsetof(segment_header, element_name_offset)}) {
    make_anew();
    overwrite(field, std::uint32_t{0xfffffff0});
    expect_corrupt("lengths are out of range");
  }
}

TEST_F(ForgedSegment, UnderAnotherNameIsCorrupt) {
  ASSERT_EQ(::rename(path().c_str(), path("renamed").c_str()), 0);
  const inspect::segment_report report = inspect::look_at(name("renamed"));
  EXPECT_EQ(report.state, segment_state::corrupt);
  EXPECT_THAT(report.why, HasSubstr("its header says that it is \"" + name()));
}

TEST_F(ForgedSegment, ThatIsNoOrdinaryFileIsNotRead) {
  ASSERT_EQ(::unlink(path().c_str()), 0);
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  expect_corrupt("a FIFO, not an ordinary file");
  ASSERT_EQ(::unlink(path().c_str()), 0);
  ASSERT_EQ(::symlink("/etc/passwd", path().c_str()), 0);
  expect_corrupt("a symbolic link, not an ordinary file");
  ASSERT_EQ(::unlink(path().c_str()), 0);
  ASSERT_EQ(::mkdir(path().c_str(), 0700), 0);
  expect_corrupt("a folder, not an ordinary file");
  ASSERT_EQ(::rmdir(path().c_str()), 0);
}

TEST_F(ForgedSegment, MarkedAsRemovedAndStillThereIsStale) {
  overwrite(offsetof(segment_header, removed), std::uint32_t{1});
  const inspect::segment_report report = inspect::look_at(name());
  EXPECT_EQ(report.state, segment_state::stale);
  EXPECT_THAT(report.why, HasSubstr("did not finish"));
}

TEST_F(ForgedSegment, SaidToBeASessionHasTheWrongLength) {
  overwrite(offsetof(segment_header, kind), shm::object_kind::session);
  const inspect::session_report report = inspect::describe_session(name());
  EXPECT_FALSE(report.readable);
  EXPECT_EQ(report.segment.state, segment_state::corrupt);
  EXPECT_THAT(report.segment.why, HasSubstr("a session's table"));
}

// ---- the channel's header

TEST_F(ForgedSegment, WithAnImpossibleGeometryIsCorrupt) {
  const auto forge = [&](std::size_t field, const auto& value, const std::string& why) {
    make_anew();
    overwrite_header(field, value);
    expect_corrupt(why);
  };
  forge(offsetof(channel_header, capacity), std::uint64_t{3}, "geometry is impossible");
  forge(offsetof(channel_header, capacity), ~std::uint64_t{0}, "geometry is impossible");
  forge(offsetof(channel_header, slot_count), std::uint64_t{1} << 40U, "geometry is impossible");
  forge(offsetof(channel_header, slot_bytes), std::uint32_t{0}, "geometry is impossible");
  forge(offsetof(channel_header, block_count), std::uint32_t{0xffffffff}, "geometry is impossible");
  forge(offsetof(channel_header, block_stride), std::uint64_t{0}, "geometry is impossible");
  forge(offsetof(channel_header, block_stride), ~std::uint64_t{63}, "geometry is impossible");
  forge(offsetof(channel_header, block_count), std::uint32_t{1}, "header contradicts itself");
  forge(offsetof(channel_header, slots_offset), std::uint64_t{8}, "header contradicts itself");
  forge(offsetof(channel_header, blocks_offset), ~std::uint64_t{0}, "header contradicts itself");
  forge(offsetof(channel_header, max_item_bytes), ~std::uint64_t{0}, "larger than a block");
  forge(offsetof(channel_header, participants_high), std::uint32_t{4097}, "out of range");
  forge(offsetof(channel_header, waiters_high), std::uint32_t{0xffffffff}, "out of range");
  forge(offsetof(channel_header, close_reason_bytes), std::uint32_t{1025}, "out of range");
}

// ---- slots and blocks

TEST_F(ForgedSegment, IsToldBySlotsNumbersWhereverTheyLie) {
  ASSERT_EQ(::unlink(path().c_str()), 0);
  constexpr std::size_t kMany = 21;
  {
    const auto channel = make(strings(), kMany);
    for (std::size_t i = 0; i < kMany; ++i) put_text(*channel, i);
  }
  const channels::channel_geometry geometry = look().geometry;
  for (const std::size_t index : {std::size_t{1}, std::size_t{11}, kMany - 1}) {
    const std::size_t meta = geometry.offset_of_slot(index) + 8;
    overwrite(meta, make_meta(channels::kNoBlock, 0, 60'000));
    expect_only_problem("slot " + std::to_string(index) + ", ticket " + std::to_string(index) +
                        ": an item of 60000 bytes cannot lie in a slot with room for 1056");
    overwrite(meta, make_meta(channels::kNoBlock, 0, index));
  }
}

TEST_F(ForgedSegment, NamingABlockThatDoesNotExistIsAProblem) {
  overwrite(slot(0) + 8, make_meta(9999, 0, 0));
  expect_problem("slot 0, ticket 0: names block 9999, and there are 68");
}

TEST_F(ForgedSegment, NamingABlockTwiceIsAProblem) {
  overwrite(slot(1) + 8, make_meta(0, 0, 0));
  expect_only_problem("slot 1, ticket 1: names block 0, which slot 0 names too");
}

TEST_F(ForgedSegment, NamingAFreeBlockIsAProblem) {
  overwrite(block(0), make_block_word(block_phase::free));
  expect_only_problem("block 0, named by slot 0, ticket 0: is free");
}

TEST_F(ForgedSegment, WithALongItemInASlotIsAProblem) {
  overwrite(slot(1) + 8, make_meta(channels::kNoBlock, 0, 60'000));
  expect_only_problem("slot 1, ticket 1: an item of 60000 bytes cannot lie in a slot with room for 1056");
}

TEST_F(ForgedSegment, WithAnItemLongerThanItsBlockIsAProblem) {
  overwrite(block(0) + offsetof(block_entry, bytes), ~std::uint64_t{0});
  expect_only_problem("block 0, named by slot 0, ticket 0: holds an item of 18446744073709551615 bytes");
}

TEST_F(ForgedSegment, WithAReservationBeyondItsBlockIsAProblem) {
  overwrite(block(5) + offsetof(block_entry, reserved), ~std::uint64_t{0});
  expect_only_problem("block 5: 18446744073709551615 bytes reserved");
}

TEST_F(ForgedSegment, WithABlockHeldByNobodyIsAProblem) {
  overwrite(block(7), make_block_word(block_phase::held, 5));
  expect_only_problem("block 7: is held by participant 5, which is not in use, and no slot names it");
  overwrite(block(7), make_block_word(block_phase::held));
  expect_only_problem("block 7: is held by nobody, and no slot names it");
}

TEST_F(ForgedSegment, WithABlockThatIsQueuedNowhereIsAProblem) {
  overwrite(block(7), make_block_word(block_phase::queued));
  expect_only_problem("block 7: is queued, and no slot names it");
}

TEST_F(ForgedSegment, WithABlockTakenByNobodyIsAProblem) {
  overwrite(block(7), make_block_word(block_phase::taken, 4000));
  expect_only_problem("block 7: item 0 is taken by participant 4000, which is not in use");
}

TEST_F(ForgedSegment, WithATakenBlockInAFullSlotIsAProblem) {
  overwrite(block(0), make_block_word(block_phase::taken, 1));
  expect_problem("while that slot is full");
}

TEST_F(ForgedSegment, WithAnUnknownBlockPhaseIsAProblem) {
  overwrite(block(7), std::uint64_t{200} << 32U);
  expect_only_problem("block 7: has no phase but 200");
}

TEST_F(ForgedSegment, WithAnUncountedOrphanIsAProblem) {
  overwrite(block(7), make_block_word(block_phase::orphan));
  expect_only_problem("orphans: 0 counted, 1 there");
  overwrite_header(offsetof(channel_header, orphans), std::uint32_t{3});
  expect_only_problem("orphans: 3 counted, 1 there");
}

TEST_F(ForgedSegment, WithASlotOwnedByNobodyIsAProblem) {
  overwrite(slot(2), make_state(0, phase::writing, 9));
  expect_only_problem("slot 2, ticket 2: writing, and its owner is participant 9, which is not in use");
  overwrite(slot(2), make_state(0, phase::writing));
  expect_only_problem("slot 2, ticket 2: writing, and its owner is nobody");
  overwrite(slot(2), make_state(0, phase::empty, 9));
  expect_only_problem("slot 2, ticket 2: is empty, yet owned by participant 9");
}

TEST_F(ForgedSegment, WithAnUnknownPhaseIsAProblem) {
  overwrite(slot(2), (std::uint64_t{12} << 12U));
  expect_problem("slot 2, ticket 2: has no phase but 12");
}

TEST_F(ForgedSegment, WithTurnsOfNoRingIsAProblem) {
  overwrite(slot(2), make_state(17, phase::full));
  expect_problem("turns are not those of one ring");
  overwrite(slot(2), make_state(1, phase::empty));  // taken before slots 0 and 1
  expect_problem("turns are not those of one ring");
  overwrite(slot(2), ~std::uint64_t{0});
  expect_problem("turns are not those of one ring");
}

TEST_F(ForgedSegment, WithABlankThatNobodyMadeIsAProblem) {
  overwrite(slot(2), make_state(0, phase::blank));
  expect_only_problem("slots: 1 blank, and none was ever said to be made");
}

TEST_F(ForgedSegment, WithHintsBeyondTheSlotsIsAProblem) {
  overwrite_header(offsetof(channel_header, tail), std::uint64_t{3});
  overwrite_header(offsetof(channel_header, head), std::uint64_t{1000});
  expect_problem("tail: the hint 3 is beyond the 2 puts");
  expect_problem("head: the hint 1000 is beyond the 0 takes");
}

TEST_F(ForgedSegment, WithHintsThatLagIsFine) {
  overwrite_header(offsetof(channel_header, tail), std::uint64_t{0});
  const inspect::channel_report report = look();
  EXPECT_EQ(report.tail, 2U);
  EXPECT_THAT(report.problems, testing::IsEmpty());
}

TEST_F(ForgedSegment, WithAViewOfNobodyIsAProblem) {
  overwrite(slot(1) + 16, make_view(0, 5, view_phase::viewing, 9));
  expect_only_problem("slot 1: item 1, read in place, is held by participant 9, which is not in use");
  overwrite(slot(1) + 16, make_view(0, 5, view_phase::viewing));
  expect_only_problem("slot 1: item 1, read in place, is held by nobody");
}

TEST_F(ForgedSegment, WithAViewThatCannotBeIsAProblem) {
  overwrite(slot(1) + 16, make_view(0, 0x7ff, view_phase::viewing, 1));
  expect_problem("slot 1: item 1, read in place, has 2047 bytes, more than the slot's 1056");
  overwrite(slot(1) + 16, make_view(0, 5, static_cast<view_phase>(3)));
  expect_only_problem("slot 1: item 1, read in place, has no phase but 3");
  overwrite(slot(1) + 16, make_view(0, 5, view_phase::orphan));
  expect_only_problem("orphans: 0 counted, 1 there");
}

TEST_F(ForgedSegment, NearTheEndOfAllTurnsIsRead) {
  constexpr std::uint64_t kLastTurn = (std::uint64_t{1} << 48U) - 1;
  overwrite(slot(0), make_state(0, phase::full));  // the turn after the last one
  for (std::size_t i = 1; i < kCapacity; ++i) overwrite(slot(i), make_state(kLastTurn, phase::full));
  overwrite(slot(1) + 8, make_meta(channels::kNoBlock, 0, 1));
  for (std::size_t i = 2; i < kCapacity; ++i) overwrite(slot(i) + 8, make_meta(channels::kNoBlock, 0, 1));
  const std::uint64_t tail = (kLastTurn + 1) * kCapacity + 1;
  overwrite_header(offsetof(channel_header, tail), tail);
  overwrite_header(offsetof(channel_header, head), tail - kCapacity);
  const inspect::channel_report report = look();
  EXPECT_EQ(report.tail, tail);
  EXPECT_EQ(report.head, tail - kCapacity);
  EXPECT_THAT(report.problems, testing::IsEmpty());
}

// ---- what is kept under the lock

TEST_F(ForgedSegment, WithFewerSleepersThanWaitersIsAProblem) {
  using channels::make_waiter;
  using channels::waiter_stage;
  using channels::waits_for;
  overwrite_header(offsetof(channel_header, waiters_high), std::uint32_t{3});
  std::uint64_t at = geometry_.waiters_offset;
  for (const waits_for what : {waits_for::item, waits_for::room, waits_for::block}) {
    overwrite(at, make_waiter(1, waiter_stage::counted, what));
    at += sizeof(channels::waiter_entry);
  }
  expect_problem("sleepers that wait for an item: 0 counted, 1 there");
  expect_problem("sleepers that wait for room: 0 counted, 1 there");
  expect_problem("sleepers that wait for a block: 0 counted, 1 there");
}

TEST_F(ForgedSegment, WithMoreSleepersThanWaitersIsFine) {
  overwrite_header(offsetof(channel_header, not_empty), std::uint64_t{2});
  EXPECT_THAT(look().problems, testing::IsEmpty());
}

TEST_F(ForgedSegment, WithAWaiterOfNobodyIsAProblem) {
  overwrite_header(offsetof(channel_header, waiters_high), std::uint32_t{1});
  overwrite_header(offsetof(channel_header, not_full), std::uint64_t{1});
  const auto counted = channels::waiter_stage::counted;
  overwrite(geometry_.waiters_offset, channels::make_waiter(4094, counted, channels::waits_for::room));
  expect_only_problem("waiter 0: waits for room since 0, but belongs to participant 4094");
  overwrite(geometry_.waiters_offset, channels::make_waiter(4094, counted, static_cast<channels::waits_for>(9)));
  expect_problem("waits for nothing that there is (9)");
}

TEST_F(ForgedSegment, WithPinsBelowZeroIsAProblem) {
  overwrite_header(offsetof(channel_header, pins), std::int32_t{-1});
  expect_only_problem("pins: -1");
}

TEST_F(ForgedSegment, ClosedInAnUnknownWayIsAProblem) {
  overwrite_header(offsetof(channel_header, closed), std::uint32_t{55});
  expect_only_problem("closed: in a way 55 that there is not");
}

TEST_F(ForgedSegment, WithALockThatIsNoneIsAProblem) {
  overwrite_header(offsetof(channel_header, mutex), std::array<std::byte, 48>{});
  EXPECT_TRUE(look().lock.unusable);
  expect_only_problem("lock: is not a mutex that weir made");
}

TEST_F(ForgedSegment, WithALockHeldByAThreadThatDoesNotExistIsAProblem) {
  constexpr std::uint32_t kNoThread = 0x3ffffff0;  // far above the largest pid_max
  overwrite_header(offsetof(channel_header, mutex), kNoThread);
  const inspect::channel_report report = look();
  EXPECT_TRUE(report.lock.held);
  EXPECT_EQ(report.lock.life, shm::liveness::dead);
  expect_only_problem("lock: held by thread 1073741808, which is dead");
}

TEST_F(ForgedSegment, OfRandomBytesNeitherCrashesNorHangs) {
  std::mt19937_64 random(20240229);  // the same bytes every time
  for (int round = 0; round < 300; ++round) {
    make_anew();
    const bool in_tables = round % 2 == 0;
    for (int writes = 0; writes < 6; ++writes) {
      const std::uint64_t from = in_tables ? geometry_.slots_offset : shm::kPage;
      const std::uint64_t length =
          in_tables ? geometry_.blocks_offset - geometry_.slots_offset : sizeof(channel_header);
      overwrite(from + random() % length, random());
    }
    const inspect::channel_report report = inspect::describe_channel(name());
    EXPECT_EQ(report.slots.size(), report.readable ? kCapacity : 0);
    (void)inspect::list(name());
  }
}

}  // namespace
}  // namespace weir::tests
