// SPDX-License-Identifier: BSL-1.0
#include "weir/array.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "support/names.hpp"
#include "weir/any.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

class Array : public NamedSegments {};

TEST_F(Array, IsZeroFilledAndReadAndWrittenThroughItsIndices) {
  const weir::array<double, 2> a({3, 4});
  EXPECT_EQ(a.extents(), (std::array<std::size_t, 2>{3, 4}));
  EXPECT_EQ(a.size(), 12U);
  EXPECT_THAT(a.span(), testing::Each(0.0));
  a(1, 2) = 5;
  EXPECT_EQ(a.data()[6], 5);
  EXPECT_EQ(a.strides(), (std::array<std::size_t, 2>{4, 1}));
}

TEST_F(Array, InColumnMajorOrderHasItsColumnsInOnePiece) {
  const weir::array<int, 3> a({2, 3, 4}, {.order = order::column_major});
  a(1, 2, 3) = 7;
  EXPECT_EQ(a.strides(), (std::array<std::size_t, 3>{1, 2, 6}));
  EXPECT_EQ(a.data()[1 + 2 * 2 + 3 * 6], 7);
  EXPECT_EQ(a.order(), order::column_major);
}

TEST_F(Array, IsSharedByAllWhoOpenItsName) {
  const auto a = weir::array<int>::create(name(), 5);
  const auto b = weir::array<int>::open(name());
  b(3) = 9;
  EXPECT_EQ(a(3), 9);
  EXPECT_EQ(a, b);
  weir::array<int>::remove(name());
  a(2) = 4;
  EXPECT_EQ(b(2), 4);
  EXPECT_THROW(weir::array<int>::open(name()), not_found);
}

TEST_F(Array, TravelsThroughAChannelAsAHandle) {
  weir::channel<weir::array<float, 2>> ch(2);
  std::string segment;
  {
    const weir::array<float, 2> sent({2, 2});
    sent(1, 1) = 3;
    segment = sent.name();
    ch.put(sent);
  }
  {
    const auto got = ch.take();
    EXPECT_EQ(got.name(), segment);
    EXPECT_EQ(got(1, 1), 3);
  }
  EXPECT_TRUE(shm::list_segments(segment).empty());
}

}  // namespace
}  // namespace weir::tests
