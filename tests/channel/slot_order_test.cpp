// SPDX-License-Identifier: BSL-1.0
// Where slots lie, and that nobody who uses a channel can tell.
#include "weir/detail/slot_layout.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "support/names.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using channels::kLine;
using channels::slot_order;

class SlotOrder : public NamedSegments, public testing::WithParamInterface<std::uint64_t> {};

TEST_P(SlotOrder, PutsEachSlotInARowOfItsOwnNoFurtherThanItsGroup) {
  const std::uint64_t count = GetParam();
  const slot_order row_of(count, 2 * kLine);
  std::vector<int> slots_in(count, 0);
  for (std::uint64_t slot = 0; slot < count; ++slot) {
    const std::uint64_t row = row_of(slot);
    ASSERT_LT(row, count);
    ++slots_in[row];
    EXPECT_EQ(row_of(row), slot);
    EXPECT_EQ(row / slot_order::kGroup, slot / slot_order::kGroup);
  }
  EXPECT_THAT(slots_in, testing::Each(1));
}

TEST_P(SlotOrder, OfSlotsOfOneLineIsThatOfTheirNumbers) {
  const slot_order row_of(GetParam(), kLine);
  for (std::uint64_t slot = 0; slot < GetParam(); ++slot) EXPECT_EQ(row_of(slot), slot);
}

TEST_P(SlotOrder, LeavesNoConstantDistanceBetweenFollowingSlots) {
  const slot_order row_of(GetParam(), 2 * kLine);
  const auto distance = [&](std::uint64_t slot) {
    return static_cast<std::int64_t>(row_of(slot + 1)) - static_cast<std::int64_t>(row_of(slot));
  };
  for (std::uint64_t slot = 0; slot + 2 < GetParam() / slot_order::kGroup * slot_order::kGroup; ++slot) {
    EXPECT_NE(distance(slot), distance(slot + 1)) << slot;
  }
}

TEST_P(SlotOrder, KeepsItemsInOrderThroughManyTurns) {
  auto texts = channel<std::string>::create(name(), GetParam());
  std::uint64_t put = 0;
  std::uint64_t taken = 0;
  for (; put < GetParam(); ++put) texts.put(std::to_string(put));
  EXPECT_FALSE(texts.try_put("one too many"));
  for (std::uint64_t i = 0; i < 5 * GetParam() + 3; ++i) {
    ASSERT_EQ(texts.take(), std::to_string(taken++));
    texts.put(std::to_string(put++));
  }
  for (const std::string& each : texts.peek()) EXPECT_EQ(each, std::to_string(taken++));
  EXPECT_EQ(taken, put);
}

INSTANTIATE_TEST_SUITE_P(Counts, SlotOrder, testing::Values(1, 2, 7, 8, 9, 15, 16, 21, 64, 100),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace weir::tests
