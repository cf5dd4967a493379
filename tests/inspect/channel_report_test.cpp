// SPDX-License-Identifier: BSL-1.0
// What the inspector says of channels that are in order.
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>

#include "inspect/channel_fixture.hpp"
#include "inspect/segments.hpp"
#include "support/child.hpp"
#include "weir/error.hpp"

namespace weir::tests {
namespace {

using channels::block_phase;
using channels::phase;
using inspect::segment_state;
using testing::IsEmpty;
using testing::SizeIs;

using ChannelReport = InspectedChannel;

TEST_F(ChannelReport, OfANewChannelIsEmptyAndHasNoProblems) {
  const auto channel = make(ints(), 5);
  const inspect::channel_report report = look();
  EXPECT_EQ(report.segment.state, segment_state::alive);
  EXPECT_EQ(report.segment.header->type, "int");
  EXPECT_EQ(report.segment.header->kind, shm::object_kind::channel);
  EXPECT_TRUE(report.segment.header->named);
  EXPECT_EQ(report.segment.header->creator, shm::this_process());
  EXPECT_EQ(report.segment.header->creator_life, shm::liveness::alive);
  EXPECT_EQ(report.segment.capacity, 5U);
  EXPECT_EQ(report.segment.items, 0U);
  EXPECT_EQ(slots_in(report, phase::empty), 5U);
  EXPECT_EQ(report.closed, channels::closing::open);
  EXPECT_TRUE(report.settled);
  EXPECT_FALSE(report.lock.held);
  EXPECT_THAT(report.problems, IsEmpty());
}

TEST_F(ChannelReport, CountsItemsThatLieInSlots) {
  const auto channel = make(ints(), 3);
  for (int round = 0; round < 4; ++round) {  // so that the turns differ from slot to slot
    put_int(*channel, round);
    (void)take(channel);
  }
  put_int(*channel, 1);
  put_int(*channel, 2);
  const inspect::channel_report report = look();
  EXPECT_EQ(report.segment.items, 2U);
  EXPECT_EQ(report.segment.used_bytes, 2 * sizeof(int));
  EXPECT_EQ(report.tail, 6U);
  EXPECT_EQ(report.head, 4U);
  EXPECT_EQ(slots_in(report, phase::full), 2U);
  EXPECT_EQ(report.slots.at(1).ticket, 4U);
  EXPECT_EQ(report.slots.at(1).bytes, sizeof(int));
  EXPECT_THAT(report.problems, IsEmpty());
}

TEST_F(ChannelReport, FindsItemsThatAreReadInTheirSlots) {
  const auto channel = make(strings(), 2);
  put_text(*channel, 7);
  put_text(*channel, 8);
  const detail::taken_item view = take(channel, detail::hold::view);
  inspect::channel_report report = look();
  EXPECT_EQ(report.segment.items, 1U);
  EXPECT_EQ(report.slots.at(0).phase, channels::phase::viewing);
  ASSERT_EQ(report.views.size(), 1U);
  EXPECT_EQ(report.views[0].slot, 0U);
  EXPECT_EQ(report.views[0].bytes, 7U);
  EXPECT_EQ(report.views[0].pid, ::getpid());
  EXPECT_THAT(report.problems, IsEmpty());
  put_text(*channel, 9);  // needs that slot
  report = look();
  EXPECT_EQ(report.slots.at(0).phase, channels::phase::full);
  EXPECT_EQ(report.slots.at(0).ticket, 2U);
  EXPECT_TRUE(report.slots.at(0).block.has_value());
  ASSERT_EQ(report.views.size(), 1U);
  EXPECT_EQ(report.views[0].ticket, 0U);
  EXPECT_EQ(view.bytes().size(), 7U);
  EXPECT_THAT(report.problems, IsEmpty());
}

TEST_F(ChannelReport, FindsItemsThatLieInBlocksAndWhoHasThem) {
  const auto channel = make(strings(), 4);
  put_text(*channel, kLong);
  put_text(*channel, 7);
  put_text(*channel, kLong + 1);
  const detail::taken_item view = take(channel, detail::hold::view);
  const detail::loaned_block loan = detail::loan(channel, kLong);
  const inspect::channel_report report = look();
  EXPECT_EQ(report.segment.items, 2U);
  EXPECT_EQ(report.segment.used_bytes, 7 + kLong + 1);
  EXPECT_EQ(report.slots.at(1).block, std::nullopt);
  EXPECT_EQ(report.slots.at(1).bytes, 7U);
  ASSERT_TRUE(report.slots.at(2).block.has_value());
  EXPECT_EQ(report.slots.at(2).bytes, kLong + 1);
  EXPECT_EQ(blocks_in(report, block_phase::taken), 1U);  // the view
  EXPECT_EQ(blocks_in(report, block_phase::held), 2U);   // the item inside, and the loan
  const auto taken = std::find_if(report.blocks.begin(), report.blocks.end(),
                                  [](const auto& block) { return block.phase == block_phase::taken; });
  EXPECT_EQ(taken->pid, ::getpid());
  EXPECT_EQ(taken->bytes, kLong);
  EXPECT_THAT(report.problems, IsEmpty());
}

TEST_F(ChannelReport, HasNoProblemWithItemsOfAPutterThatHasGoneInOrder) {
  const auto channel = make(strings(), 4);
  child putter([&] {
    const auto own = detail::open_named(name(), strings());
    put_text(*own, kLong);
    put_text(*own, kLong);
    return 0;
  });
  EXPECT_EQ(putter.wait(), 0);
  const inspect::channel_report report = look();
  EXPECT_THAT(report.participants, SizeIs(1));
  EXPECT_EQ(report.segment.items, 2U);
  EXPECT_THAT(report.problems, IsEmpty());
}

TEST_F(ChannelReport, NamesTheProcessesThatAreAttached) {
  const auto channel = make(ints(), 1);
  const inspect::channel_report report = look();
  ASSERT_THAT(report.participants, SizeIs(1));
  EXPECT_EQ(report.participants[0].who, shm::this_process());
  EXPECT_EQ(report.participants[0].life, shm::liveness::alive);
  EXPECT_EQ(report.participants[0].process, my_id());
}

TEST_F(ChannelReport, SaysWhoWaitsForWhatSinceWhenAndUntilWhen) {
  const auto channel = make(ints(), 1);
  std::atomic<pid_t> thread = 0;
  std::jthread taker([&] {
    thread = ::gettid();
    int value = 0;
    (void)detail::take_fixed(*channel, &value, sizeof value, detail::deadline::after(std::chrono::hours(1)));
  });
  inspect::channel_report report = look();
  // The waits of 100 ms that a sleep is made of have the taker out of the table for a moment now and then.
  while (report.waiters.empty()) report = look();
  put_int(*channel, 1);
  taker.join();
  ASSERT_THAT(report.waiters, SizeIs(1));
  const inspect::waiter_report& waiter = report.waiters[0];
  EXPECT_EQ(waiter.what, channels::waits_for::item);
  EXPECT_EQ(waiter.pid, ::getpid());
  EXPECT_EQ(waiter.thread, thread);
  EXPECT_EQ(waiter.life, shm::liveness::alive);
  EXPECT_GT(waiter.since_ns, 0);
  EXPECT_GT(waiter.until_ns - waiter.since_ns, std::chrono::nanoseconds(std::chrono::minutes(59)).count());
  EXPECT_THAT(report.problems, IsEmpty());
}

TEST_F(ChannelReport, SaysThatAChannelIsClosedAndWhy) {
  const auto channel = make(ints(), 1);
  detail::close(*channel, "out of paper");
  const inspect::channel_report report = look();
  EXPECT_EQ(report.closed, channels::closing::reason);
  EXPECT_EQ(report.close_reason, "out of paper");
}

TEST_F(ChannelReport, OfARendezvousHasNoRoomForItems) {
  const auto channel = make(strings(), 0);
  const inspect::channel_report report = look();
  EXPECT_EQ(report.segment.capacity, 0U);
  EXPECT_EQ(report.segment.items, 0U);
  EXPECT_THAT(report.problems, IsEmpty());
}

TEST_F(ChannelReport, HasItemsThatWereGivenBackAmongTheItems) {
  const auto channel = make(strings(), 3);
  put_text(*channel, kLong);
  put_text(*channel, 3);
  detail::taken_item item = take(channel);
  item.give_back();
  const inspect::channel_report report = look();
  EXPECT_EQ(report.orphans, 1U);
  EXPECT_EQ(report.segment.items, 2U);
  EXPECT_EQ(report.segment.used_bytes, kLong + 3);
  EXPECT_THAT(report.problems, IsEmpty());
}

TEST_F(ChannelReport, OfANamedChannelThatNobodyHasOpenIsIdle) {
  put_int(*make(ints(), 2), 5);
  const inspect::channel_report report = look();
  EXPECT_EQ(report.segment.state, segment_state::idle);
  EXPECT_EQ(report.segment.items, 1U);
  EXPECT_THAT(report.problems, IsEmpty());
}

TEST_F(ChannelReport, OfAnUnnamedChannelSaysWhereItLives) {
  const auto channel = detail::create_unnamed(ints(), 2, {}, {});
  const inspect::channel_report report = inspect::describe_channel(detail::name(*channel));
  EXPECT_EQ(report.segment.state, segment_state::alive);
  EXPECT_FALSE(report.segment.header->named);
  EXPECT_EQ(report.segment.header->where, my_id());
  EXPECT_EQ(report.segment.header->id, detail::id(*channel));
  EXPECT_THAT(report.problems, IsEmpty());
}

TEST_F(ChannelReport, ThatIsMadeQuicklyHasTheSameNumbers) {
  const auto channel = make(strings(), 4);
  put_text(*channel, kLong);
  const inspect::segment_report quick = inspect::look_at(name());
  const inspect::segment_report thorough = look().segment;
  EXPECT_EQ(quick.items, thorough.items);
  EXPECT_EQ(quick.used_bytes, thorough.used_bytes);
  EXPECT_EQ(quick.reserved_bytes, thorough.reserved_bytes);
  EXPECT_EQ(quick.state, thorough.state);
}

TEST_F(ChannelReport, LeavesNoTraceInTheSegment) {
  const auto channel = make(strings(), 4);
  put_text(*channel, kLong);
  const auto content = [&] {
    std::ifstream file(path(), std::ios::binary);
    std::string bytes(inspect::describe_channel(name()).geometry.blocks_offset, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    EXPECT_TRUE(file);
    return bytes;
  };
  const std::string before = content();
  struct stat first {};
  struct stat second {};
  ASSERT_EQ(::stat(path().c_str(), &first), 0);
  (void)inspect::list();
  (void)look();
  ASSERT_EQ(::stat(path().c_str(), &second), 0);
  EXPECT_EQ(first.st_blocks, second.st_blocks);
  EXPECT_EQ(first.st_atim.tv_nsec, second.st_atim.tv_nsec);
  EXPECT_EQ(first.st_mtim.tv_nsec, second.st_mtim.tv_nsec);
  EXPECT_EQ(content(), before);
}

TEST_F(ChannelReport, OfAChannelThatIsGoneIsAbsent) {
  EXPECT_EQ(inspect::describe_channel(name()).segment.state, segment_state::absent);
  EXPECT_EQ(inspect::look_at("no/such").state, segment_state::absent);
  EXPECT_EQ(inspect::look_at("").state, segment_state::absent);
}

TEST_F(ChannelReport, AppearsInTheListByPatternWithOrWithoutThePrefix) {
  const auto channel = make(ints(), 2);
  const auto names = [](const std::string& pattern) {
    std::vector<std::string> all;
    for (const auto& segment : inspect::list(pattern)) all.push_back(segment.name);
    return all;
  };
  EXPECT_THAT(names({}), testing::Contains(name()));
  EXPECT_THAT(names(name()), testing::ElementsAre(name()));
  EXPECT_THAT(names("weir." + name()), testing::ElementsAre(name()));
  EXPECT_THAT(names(name("*")), testing::ElementsAre(name()));
  EXPECT_THAT(names(name("other")), IsEmpty());
  EXPECT_EQ(inspect::resolve_name("weir." + name()), name());
  EXPECT_EQ(inspect::resolve_name(name()), name());
}

}  // namespace
}  // namespace weir::tests
