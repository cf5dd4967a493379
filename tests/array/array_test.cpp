// SPDX-License-Identifier: BSL-1.0
// Elements, shapes, names, bad input: all in one process.
#include "weir/array.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <complex>
#include <cstdint>
#include <limits>
#include <numeric>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "segment/segment.hpp"
#include "support/names.hpp"
#include "weir/any.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using testing::Each;
using testing::HasSubstr;

class Array : public NamedSegments {};
using BadArray = Array;

/// what() of the E that `f` throws.
template <class E, class F>
std::string refusal(F f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  } catch (const std::exception& e) {
    return std::string("another exception: ") + e.what();
  }
  return "nothing was thrown";
}

struct particle {
  double mass;
  float position[3];
  std::int32_t kind;
};

// ---- elements

TEST_F(Array, IsZeroFilledAndIsReadAndWrittenThroughItsIndices) {
  const weir::array<double, 2> a({3, 4});
  EXPECT_EQ(a.extents(), (std::array<std::size_t, 2>{3, 4}));
  EXPECT_EQ(a.size(), 12U);
  EXPECT_THAT(a.span(), Each(0.0));
  a(1, 2) = 5;
  EXPECT_EQ(a.data()[6], 5);
  EXPECT_EQ(a.at(1, 2), 5);
  EXPECT_EQ(a.strides(), (std::array<std::size_t, 2>{4, 1}));
  EXPECT_EQ(a.extent(1), 4U);
  EXPECT_THROW(static_cast<void>(a.extent(2)), std::out_of_range);
}

TEST_F(Array, OfOneDimensionIsMadeFromOneNumberInAnyForm) {
  const std::size_t n = 7;
  for (const auto& a : {weir::array<int>(7), weir::array<int>({7}), weir::array<int>(n), weir::array<int>({n}),
                        weir::array<int>(std::array<std::size_t, 1>{n}), weir::array<int>(7L)}) {
    EXPECT_EQ(a.size(), 7U);
  }
}

TEST_F(Array, InColumnMajorOrderHasItsColumnsInOnePiece) {
  const weir::array<int, 3> a({2, 3, 4}, {.order = order::column_major});
  a(1, 2, 3) = 7;
  EXPECT_EQ(a.strides(), (std::array<std::size_t, 3>{1, 2, 6}));
  EXPECT_EQ(a.data()[1 + 2 * 2 + 3 * 6], 7);
  EXPECT_EQ(a.order(), order::column_major);
  EXPECT_EQ((weir::array<int, 2>({2, 2}).order()), order::row_major);
}

TEST_F(Array, OfManyDimensionsHasADistinctElementForEachIndex) {
  const weir::array<std::uint16_t, 5> a({2, 3, 1, 4, 2});
  std::uint16_t next = 0;
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 4; ++k)
        for (int l = 0; l < 2; ++l) a(i, j, 0, k, l) = next++;
  std::vector<std::uint16_t> expected(a.size());
  std::iota(expected.begin(), expected.end(), std::uint16_t{0});
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), a.span().begin()));
}

TEST_F(Array, HoldsUsersStructs) {
  const weir::array<particle> a(3);
  a(2) = {1.5, {1, 2, 3}, 4};
  const particle copy = a.at(2);
  EXPECT_EQ(copy.mass, 1.5);
  EXPECT_EQ(copy.position[2], 3);
}

TEST_F(Array, FillWritesEveryElementAlsoFromOneOfItsOwn) {
  const weir::array<int, 2> a({3, 3});
  a.fill(4);
  EXPECT_THAT(a.span(), Each(4));
  a(0, 0) = 9;
  a.fill(a(0, 0));
  EXPECT_THAT(a.span(), Each(9));
}

TEST_F(Array, AtThrowsOutOfRangeAndSaysWhatTheExtentsAre) {
  const weir::array<int, 2> a({3, 4});
  EXPECT_THAT(refusal<std::out_of_range>([&] { static_cast<void>(a.at(3, 0)); }),
              HasSubstr("index (3, 0) is not within 3x4"));
  EXPECT_THAT(refusal<std::out_of_range>([&] { static_cast<void>(a.at(0, -1)); }), HasSubstr("index (0, -1)"));
  EXPECT_THROW(static_cast<void>(a.at(0, 4)), std::out_of_range);
  EXPECT_THROW(static_cast<void>(a.atomic(0, 4)), std::out_of_range);
}

TEST_F(Array, AtomicLosesNoAddition) {
  const weir::array<long, 2> a({2, 2});
  constexpr int kTimes = 20'000;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([a] {
        for (int i = 0; i < kTimes; ++i) a.atomic(1, 0) += 1;
      });
    }
  }
  EXPECT_EQ(a(1, 0), 3 * kTimes);
}

TEST_F(Array, HandlesAreCopiesOfOneReferenceAndCompareByTheArray) {
  const weir::array<int> a(4);
  const weir::array<int> b = a;  // NOLINT(performance-unnecessary-copy-initialization): that is what is tested
  b(1) = 3;
  EXPECT_EQ(a(1), 3);
  EXPECT_EQ(a, b);
  EXPECT_NE(a, weir::array<int>(4));
  EXPECT_NE(a, weir::array<int>());
}

TEST_F(Array, PrintsWhereWhenceIdAndItsExtents) {
  const weir::array<double, 2> a({10, 20});
  std::ostringstream out;
  out << a;
  EXPECT_EQ(out.str(), "array<double, 2>(1, 1, " + std::to_string(a.id()) + ") 10x20");
  out.str({});
  out << weir::array<int>();
  EXPECT_EQ(out.str(), "array<int, 1>()");
}

TEST_F(Array, ThatRefersToNoneThrowsAndSaysSo) {
  const weir::array<int> none;
  EXPECT_FALSE(none);
  EXPECT_THAT(refusal<invalid_argument>([&] { static_cast<void>(none.size()); }), HasSubstr("refers to no array"));
  EXPECT_THROW(static_cast<void>(none.at(0)), invalid_argument);
  EXPECT_THROW(none.resize_rows(3), invalid_argument);
  EXPECT_THROW(static_cast<void>(none.lock()), invalid_argument);
}

// ---- names and lifetimes

TEST_F(Array, UnnamedGoesWithItsLastHandle) {
  std::string segment;
  {
    const weir::array<int> a(4);
    const auto b = a;
    segment = a.name();
    EXPECT_THAT(segment, testing::StartsWith("@"));
    EXPECT_EQ(shm::list_segments(segment).size(), 1U);
  }
  EXPECT_TRUE(shm::list_segments(segment).empty());
}

TEST_F(Array, NamedIsSharedByAllWhoOpenItAndUsedOnAfterRemove) {
  const auto a = weir::array<int>::create(name(), 5);
  const auto b = weir::array<int>::open(name());
  b(3) = 9;
  EXPECT_EQ(a(3), 9);
  EXPECT_EQ(a, b);
  EXPECT_EQ(a.name(), name());
  weir::array<int>::remove(name());
  a(2) = 4;
  EXPECT_EQ(b(2), 4);
  EXPECT_EQ(b.at(2), 4);
  EXPECT_THROW(weir::array<int>::open(name()), not_found);
  EXPECT_THROW(weir::array<int>::remove(name()), not_found);
}

TEST_F(Array, NamedOutlivesItsHandles) {
  { weir::array<int>::create(name(), 5)(2) = 6; }
  EXPECT_EQ(weir::array<int>::open(name())(2), 6);
}

TEST_F(Array, OpenOrCreateMakesItOnceAndRefusesAnotherShape) {
  const auto a = weir::array<int, 2>::open_or_create(name(), {2, 3});
  a(1, 1) = 5;
  const auto b = weir::array<int, 2>::open_or_create(name(), {2, 3});
  EXPECT_EQ(b(1, 1), 5);
  EXPECT_THAT(refusal<invalid_argument>([&] {
                weir::array<int, 2>::open_or_create(name(), {3, 2});
              }),
              HasSubstr("it is 2x3 in row_major order, asked for 3x2"));
  EXPECT_THROW((weir::array<int, 2>::open_or_create(name(), {2, 3}, {.order = order::column_major})), invalid_argument);
}

TEST_F(Array, TravelsThroughAChannelAsAHandleAndLivesWhileItIsUnderWay) {
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

TEST_F(Array, TravelsInsideContainersAndAny) {
  const weir::array<int> a(3);
  a(0) = 8;
  weir::channel<std::vector<weir::array<int>>> many(1);
  many.put({a, a});
  EXPECT_EQ(many.take().at(1)(0), 8);
  weir::channel<any> anything(1);
  anything.put(a);
  EXPECT_EQ(anything.take().as<weir::array<int>>()(0), 8);
}

TEST_F(Array, AsAnyIsSentOnByWhoHasNotAskedForItAndThenGoes) {
  weir::channel<any> first(1);
  weir::channel<any> second(1);
  std::string segment;
  {
    const weir::array<int> a(3);
    a(1) = 4;
    segment = a.name();
    first.put(a);
  }
  second.put(first.take());
  EXPECT_EQ(second.take().as<weir::array<int>>()(1), 4);
  EXPECT_TRUE(shm::list_segments(segment).empty());
}

TEST_F(Array, LeftInAChannelGoesWithIt) {
  std::string segment;
  {
    weir::channel<weir::array<int>> ch(1);
    const weir::array<int> a(3);
    segment = a.name();
    ch.put(a);
  }
  EXPECT_TRUE(shm::list_segments(segment).empty());
}

// ---- bad input

TEST_F(BadArray, ExtentsThatAreZeroNegativeOrTooMany) {
  constexpr std::size_t kHuge = std::size_t{1} << 40U;
  EXPECT_THAT(refusal<invalid_argument>([] { weir::array<int, 2> a({3, 0}); }), HasSubstr("dimension 1 is 0"));
  EXPECT_THAT(refusal<invalid_argument>([] { weir::array<int, 2> a({-3, 4}); }), HasSubstr("dimension 0 is -3"));
  EXPECT_THAT(refusal<invalid_argument>([] {
                weir::array<int, 2> a({kHuge, kHuge});
              }),
              HasSubstr("more elements of 4 bytes than can be counted"));
  EXPECT_THROW((weir::array<double>(std::numeric_limits<std::size_t>::max())), invalid_argument);
  EXPECT_THROW((weir::array<double>(std::size_t{1} << 61U)), invalid_argument);  // 2^64 bytes
}

TEST_F(BadArray, MoreThanMemoryHasIsNoSpaceAndSaysHowMuch) {
  // Sanitizers leave no address space for so much.
  const auto says = [](const char* asked) { return testing::AnyOf(HasSubstr(asked), HasSubstr("of address space")); };
  EXPECT_THAT(refusal<no_space>([] { weir::array<double> a(std::size_t{1} << 42U); }), says("32.0 TiB asked"));
  EXPECT_THAT(refusal<no_space>([] { weir::array<char> a(std::size_t{1} << 50U); }), says("1.0 PiB asked"));
}

TEST_F(BadArray, NamesOfOtherTypesRanksAndKinds) {
  const auto a = weir::array<double, 2>::create(name(), {2, 2});
  EXPECT_THAT(refusal<type_mismatch>([&] { weir::array<float, 2>::open(name()); }),
              HasSubstr("it is weir::array<double, 2>, asked for weir::array<float, 2>"));
  EXPECT_THAT(refusal<type_mismatch>([&] { weir::array<double, 3>::open(name()); }),
              HasSubstr("weir::array<double, 3>"));
  EXPECT_THROW(weir::channel<double>::open(name()), type_mismatch);
  const auto ch = weir::channel<double>::create(name("ch"), 1);
  EXPECT_THAT(refusal<type_mismatch>([&] { weir::array<double>::open(name("ch")); }),
              HasSubstr("it is a channel, not an array"));
  EXPECT_THROW((weir::array<double, 2>::create(name(), {2, 2})), already_exists);
  EXPECT_THROW(weir::array<int>::create("", 1), invalid_argument);
  EXPECT_THROW(weir::array<int>::create("a/b", 1), invalid_argument);
  EXPECT_THROW(weir::array<int>::open("@x"), invalid_argument);
  EXPECT_THROW(weir::array<int>::open(name("none")), not_found);
}

TEST_F(BadArray, OrdersThatAreNone) {
  EXPECT_THROW((weir::array<int, 2>({2, 2}, {.order = static_cast<order>(7)})), invalid_argument);
}

// ---- resizing

TEST_F(Array, ResizedShowsItsNewExtentToOtherHandlesAtTheirNextAccess) {
  const auto a = weir::array<int, 2>::create(name(), {2, 3});
  const auto b = weir::array<int, 2>::open(name());
  int* const before = b.data();
  a(1, 2) = 7;
  a.resize_rows(100'000);
  EXPECT_EQ(b.extent(0), 100'000U);
  EXPECT_EQ(b.data(), before);
  EXPECT_EQ(b(1, 2), 7);
  EXPECT_EQ(b.at(99'999, 2), 0);
  b(99'999, 2) = 5;
  EXPECT_EQ(a(99'999, 2), 5);
  EXPECT_EQ(b.span().size(), 300'000U);
  a.resize_rows(1);
  EXPECT_THROW(static_cast<void>(b.at(1, 0)), std::out_of_range);
}

TEST_F(Array, RowsThatComeBackAreZero) {
  const weir::array<int, 2> a({4, 1000});
  a.fill(9);
  a.resize_rows(2);
  a.resize_rows(5);
  for (std::size_t j = 0; j < 1000; ++j) {
    EXPECT_EQ(a(1, j), 9);
    for (std::size_t i = 2; i < 5; ++i) ASSERT_EQ(a(i, j), 0) << i << ' ' << j;
  }
}

std::size_t place_in_page(const void* memory) { return reinterpret_cast<std::uintptr_t>(memory) % shm::kPage; }

TEST_F(Array, LargeOnesBeginAtDifferentPlacesOfAPage) {
  const std::vector<weir::array<double>> made{weir::array<double>({10'000}), weir::array<double>({10'000}),
                                              weir::array<double>({10'000}), weir::array<double>({10'000})};
  std::set<std::size_t> places;
  for (const auto& each : made) places.insert(place_in_page(each.data()));
  EXPECT_THAT(places, testing::ElementsAre(0, 1024, 2048, 3072));
}

TEST_F(Array, OfSmallSizeOrOfLargeElementsBeginsWithAPage) {
  struct alignas(shm::kPage) whole_page {
    char bytes[shm::kPage];
  };
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(place_in_page(weir::array<double>({100}).data()), 0U);
    EXPECT_EQ(place_in_page(weir::array<whole_page>({100}).data()), 0U);
  }
}

TEST_F(Array, LargeOnesCanBeResizedWhereverTheyBegin) {
  for (int i = 0; i < 4; ++i) {
    const weir::array<int, 2> a({20, 1000});
    a.fill(9);
    a.resize_rows(2);
    a.resize_rows(40);
    const auto all = a.span();
    EXPECT_TRUE(std::ranges::all_of(all.first(2000), [](int e) { return e == 9; }));
    EXPECT_TRUE(std::ranges::all_of(all.subspan(2000), [](int e) { return e == 0; }));
  }
}

TEST_F(Array, RowsThatWentGiveTheirMemoryBack) {
  const auto a = weir::array<char, 2>::create(name(), {100, 100'000});
  const auto reserved = [&] { return shm::segment::open("look", name(), shm::object_kind::array).memory(); };
  EXPECT_GT(reserved(), 10'000'000U);
  a.resize_rows(1);
  EXPECT_LT(reserved(), 400'000U);
}

TEST_F(BadArray, ResizingBeyondTheRoomInColumnsOrToNothing) {
  const weir::array<int, 2> bounded({2, 3}, {.max_rows = 10});
  bounded.resize_rows(10);
  EXPECT_THAT(refusal<invalid_argument>([&] { bounded.resize_rows(11); }), HasSubstr("room for 10"));
  EXPECT_THROW(bounded.resize_rows(0), invalid_argument);
  const weir::array<int, 2> columns({2, 3}, {.order = order::column_major});
  EXPECT_THAT(refusal<invalid_argument>([&] { columns.resize_rows(3); }), HasSubstr("column_major"));
  const weir::array<int> one(2, {.order = order::column_major});
  one.resize_rows(9);
  EXPECT_EQ(one.size(), 9U);
  EXPECT_THROW((weir::array<int>(5, {.max_rows = 4})), invalid_argument);
  EXPECT_THROW((weir::array<int>(5, {.max_rows = std::size_t{1} << 60U})), invalid_argument);
  bounded.resize_rows(10);  // what was refused changed nothing
  EXPECT_EQ(bounded.extent(0), 10U);
}

TEST_F(Array, ResizedByManyThreadsIsNeverHalfResized) {
  const weir::array<int, 2> a({1, 700});
  std::vector<std::jthread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([a, t] {
      for (std::size_t i = 1; i < 40; ++i) a.resize_rows(1 + (i * 7 + static_cast<std::size_t>(t)) % 20);
    });
  }
  threads.clear();
  EXPECT_EQ(a.size(), a.extent(0) * 700);
  a.resize_rows(20);
  a.fill(1);
}

// ---- the names of types

TEST_F(Array, OfComplexNumbersAndOfBoolsHasTheirNumpyNames) {
  EXPECT_EQ(detail::npy_descr<double>(), "<f8");
  EXPECT_EQ(detail::npy_descr<std::int32_t>(), "<i4");
  EXPECT_EQ(detail::npy_descr<unsigned char>(), "|u1");
  EXPECT_EQ(detail::npy_descr<bool>(), "|b1");
  EXPECT_EQ(detail::npy_descr<std::complex<float>>(), "<c8");
  EXPECT_EQ(detail::npy_descr<particle>(), "|V24");
}

}  // namespace
}  // namespace weir::tests
