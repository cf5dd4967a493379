// SPDX-License-Identifier: BSL-1.0
// Items of a channel as they are seen from outside: whole, in order, none taken, whatever goes on meanwhile.
#include "inspect/items.hpp"

#include <atomic>
#include <thread>

#include "inspect/channel_fixture.hpp"
#include "support/child.hpp"
#include "support/session.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using inspect::item;
using inspect::items_options;
using inspect::items_result;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Items : public InspectedChannel {
 protected:
  std::vector<item> read(const items_options& options = {}) {
    std::vector<item> found;
    result_ = inspect::read_items(inspect::check_segment(name()), options, [&](const item& i) { found.push_back(i); });
    EXPECT_TRUE(result_.readable) << result_.why;
    EXPECT_EQ(result_.found, found.size());
    return found;
  }
  static std::vector<std::uint64_t> tickets_of(const std::vector<item>& items) {
    std::vector<std::uint64_t> tickets;
    for (const item& each : items) tickets.push_back(each.ticket);
    return tickets;
  }
  static int number_in(const item& found) {
    int number = 0;
    EXPECT_EQ(found.content.size(), sizeof number);
    std::memcpy(&number, found.content.data(), sizeof number);
    return number;
  }

  items_result result_;
};

TEST_F(Items, AreThoseInsideInTheOrderOfTheirTicketsAndStayThere) {
  const auto channel = make(ints(), 3);
  EXPECT_THAT(read(), IsEmpty());
  for (int i = 0; i < 5; ++i) {
    if (i >= 3) static_cast<void>(take(channel));
    put_int(*channel, i);
  }
  const std::vector<item> found = read();
  EXPECT_THAT(tickets_of(found), ElementsAre(2, 3, 4));
  for (const item& each : found) {
    EXPECT_EQ(number_in(each), static_cast<int>(each.ticket));
    EXPECT_EQ(each.bytes, sizeof(int));
    EXPECT_FALSE(each.left_behind);
  }
  EXPECT_EQ(result_.changing, 0U);
  EXPECT_EQ(detail::size(*channel), 3U);
}

TEST_F(Items, AreReadFromSlotsAndFromBlocks) {
  const auto channel = make(strings(), 4);
  put_text(*channel, 3);
  put_text(*channel, kLong);
  put_text(*channel, 0);
  const std::vector<item> found = read();
  ASSERT_THAT(found, SizeIs(3));
  EXPECT_EQ(found[0].content, std::vector<std::byte>(3, std::byte{'x'}));
  EXPECT_EQ(found[1].content, std::vector<std::byte>(kLong, std::byte{'x'}));
  EXPECT_EQ(found[2].bytes, 0U);
}

TEST_F(Items, AreInOrderWhereverTheirSlotsLie) {
  constexpr std::size_t kCapacity = 21;  // two groups of slots and five others: slot_order
  const auto channel = make(strings(), kCapacity);
  std::vector<std::uint64_t> inside;
  for (std::size_t ticket = 0; ticket < kCapacity + 10; ++ticket) {
    if (ticket >= kCapacity) static_cast<void>(take(channel));
    put_text(*channel, ticket);
    if (ticket >= 10) inside.push_back(ticket);
  }
  const std::vector<item> found = read();
  EXPECT_EQ(tickets_of(found), inside);
  for (const item& each : found) EXPECT_EQ(each.bytes, each.ticket);
  EXPECT_THAT(tickets_of(read({.count = 3})), ElementsAre(10, 11, 12));
}

TEST_F(Items, AreAtMostSoManyAndOfLargeOnesOnlyTheLength) {
  const auto channel = make(strings(), 100);
  for (int i = 0; i < 100; ++i) put_text(*channel, i % 2 == 0 ? 10 : kLong);
  EXPECT_THAT(tickets_of(read({.count = 3})), ElementsAre(0, 1, 2));
  const std::vector<item> found = read({.count = 2, .most_bytes = 100});
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[1].content, IsEmpty());
  EXPECT_EQ(found[1].bytes, kLong);
  EXPECT_EQ(found[1].why, "");
}

TEST_F(Items, WhoseTakerWasKilledComeFirst) {
  const auto channel = make(strings(), 4);
  for (const std::size_t length : {kLong, std::size_t{5}, kLong + 1}) put_text(*channel, length);
  child victim([&] {
    const auto mine = detail::open_named(name(), strings());
    const auto first = take(mine, detail::hold::view);
    const auto second = take(mine, detail::hold::view);
    ::raise(SIGKILL);
    return 0;
  });
  victim.wait();
  const std::vector<item> found = read();
  EXPECT_THAT(tickets_of(found), ElementsAre(0, 1, 2));
  ASSERT_THAT(found, SizeIs(3));
  EXPECT_TRUE(found[0].left_behind && found[1].left_behind);
  EXPECT_FALSE(found[2].left_behind);
  EXPECT_EQ(found[0].content.size(), kLong);
  EXPECT_EQ(found[1].content.size(), 5U);
}

TEST_F(Items, HeldByALivingTakerAreNotInside) {
  const auto channel = make(strings(), 4);
  put_text(*channel, kLong);
  put_text(*channel, 5);
  const auto held = take(channel, detail::hold::view);
  EXPECT_THAT(tickets_of(read()), ElementsAre(1));
}

TEST_F(Items, OfASlotThatCannotBeAreSaidToBeCorrupt) {
  const auto channel = make(strings(), 4);
  put_text(*channel, kLong);
  put_text(*channel, 3);
  const channels::channel_geometry geometry = look().geometry;
  overwrite(geometry.offset_of_slot(0) + 8, channels::make_meta(4000, 0, 0));
  overwrite(geometry.offset_of_slot(1) + 8, channels::make_meta(channels::kNoBlock, 0, 0xffff));
  const std::vector<item> found = read();
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[0].why, HasSubstr("names block 4000"));
  EXPECT_THAT(found[1].why, HasSubstr("65535 bytes"));
}

TEST_F(Items, OfABlockThatIsSaidToBeHugeAreNotRead) {
  const auto channel = make(strings(), 4);
  put_text(*channel, kLong);
  const channels::channel_geometry geometry = look().geometry;
  overwrite(geometry.offset_of_slot(0) + 24, geometry.block_stride);
  const std::vector<item> found = read();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].why, HasSubstr("memory for"));
}

TEST_F(Items, OfWhatIsNoChannelAreNone) {
  const items_result result = inspect::read_items(inspect::check_segment(name()), {}, [](const item&) { FAIL(); });
  EXPECT_FALSE(result.readable);
}

/// A full channel whose takers and putters never rest: each item says of itself whether it is whole.
void look_at_busy_channel(const std::string& name, std::size_t words) {
  constexpr std::size_t kCapacity = 1000;
  auto channel = weir::channel<std::vector<std::uint64_t>>::create(name, kCapacity);
  std::atomic<bool> stops{false};
  const auto next = [words](std::uint64_t n) { return std::vector<std::uint64_t>(words + n % 7, n); };
  std::uint64_t put = 0;
  for (; put < kCapacity; ++put) channel.put(next(put));
  std::atomic<std::uint64_t> taken{0};
  std::thread putter([&] {
    for (; !stops; ++put) channel.put_for(next(put), std::chrono::milliseconds(50));
  });
  std::thread taker([&] {
    while (!stops) taken += channel.take_for(std::chrono::milliseconds(50)).has_value() ? 1 : 0;
  });
  std::uint64_t seen = 0;
  EXPECT_TRUE(comes_true([&] {
    std::uint64_t last = 0;
    bool is_first = true;
    inspect::read_items(inspect::check_segment(name), {.count = 200}, [&](const item& found) {
      ASSERT_EQ(found.why, "");
      std::vector<std::uint64_t> inside(found.content.size() / sizeof(std::uint64_t));
      std::memcpy(inside.data(), found.content.data(), found.content.size());
      EXPECT_EQ(inside, next(found.ticket));
      EXPECT_TRUE(is_first || found.ticket > last);
      last = found.ticket;
      is_first = false;
      ++seen;
    });
    return seen > 1000 && taken > 10'000;
  })) << seen
      << " seen, " << taken << " taken";
  stops = true;
  putter.join();
  taker.join();
}

TEST_F(Items, InSlotsOfABusyChannelAreWhole) { look_at_busy_channel(name(), 2); }
TEST_F(Items, InBlocksOfABusyChannelAreWhole) { look_at_busy_channel(name(), 300); }

}  // namespace
}  // namespace weir::tests
