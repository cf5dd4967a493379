// SPDX-License-Identifier: BSL-1.0
#include "weir/detail/payload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "channel/channel_core.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using detail::codec;
using detail::encoder;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::byte> bytes_of(const detail::payload& item) {
  std::vector<std::byte> all;
  for (const auto part : item.parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

template <class T>
std::int64_t pins_of(const channel<T>& ch) {
  return detail::attach(ch.name(), codec<T>::type())->header().pins.load();
}

TEST(Encoder, KeepsWhatIsWrittenAndWhatIsReferredToInOrder) {
  const std::string large(1000, 'x');
  encoder encoded;
  encoded.write("ab", 2);
  encoded.refer(std::as_bytes(std::span(large)));
  encoded.write("c", 1);
  encoded.write("d", 1);
  EXPECT_EQ(encoded.size(), 1004U);
  const std::vector<std::byte> all = bytes_of(encoded.item());
  const std::string text(reinterpret_cast<const char*>(all.data()), all.size());
  EXPECT_EQ(text, "ab" + large + "cd");
  EXPECT_EQ(encoded.body(), all);
}

TEST(Encoder, SeveralOfOneThreadDoNotDisturbEachOther) {
  encoder outer;
  outer.write("outer", 5);
  {
    encoder inner;
    inner.write("inner", 5);
    encoder third;
    third.write("third", 5);
    EXPECT_EQ(std::memcmp(inner.body().data(), "inner", 5), 0);
  }
  outer.write("!", 1);
  EXPECT_EQ(std::memcmp(outer.body().data(), "outer!", 6), 0);
}

// Made before the thread's first encoder, and so destroyed after what that leaves behind.
struct encodes_at_the_end {
  std::string* text = nullptr;
  ~encodes_at_the_end() {
    if (text == nullptr) return;
    for (int i = 0; i < 2; ++i) {
      encoder late;
      late.write("late", 4);
      const std::vector<std::byte> body = late.body();
      text->append(reinterpret_cast<const char*>(body.data()), body.size());
    }
  }
};

TEST(Encoder, WorksWhileItsThreadEnds) {
  std::string text;
  std::thread([&text] {
    static thread_local encodes_at_the_end last;
    last.text = &text;
    encoder early;
    early.write("early", 5);
  }).join();
  EXPECT_EQ(text, "latelate");
}

TEST(Encoder, TakesBackThePinsOfWhatWasNotSent) {
  channel<int> ch(1);
  {
    encoder encoded;
    codec<channel<int>>::encode(encoded, ch);
    EXPECT_EQ(pins_of(ch), 1);
  }
  EXPECT_EQ(pins_of(ch), 0);
}

TEST(References, EndAnItemAndAreReleasedOnce) {
  channel<int> first(1);
  channel<int> second(1);
  std::vector<std::byte> item;
  {
    encoder encoded;
    codec<std::vector<channel<int>>>::encode(encoded, {first, second, first});
    ASSERT_TRUE(encoded.item().has_references);
    item = bytes_of(encoded.item());
    EXPECT_EQ(bytes_of(encoded.item()), item);
    encoded.sent();
  }
  EXPECT_EQ(pins_of(first), 2);
  EXPECT_EQ(pins_of(second), 1);

  const detail::item_parts parts = detail::split_references(item, true);
  EXPECT_THAT(parts.references, ElementsAre(first.name(), second.name(), first.name()));
  EXPECT_THAT(codec<std::vector<channel<int>>>::decode(parts.body), ElementsAre(first, second, first));
  EXPECT_EQ(pins_of(first), 2);

  detail::release_references(item);
  EXPECT_EQ(pins_of(first), 0);
  EXPECT_EQ(pins_of(second), 0);
}

TEST(References, AreNotLookedForWhereThereAreNone) {
  const std::vector<std::byte> item(3);
  const detail::item_parts parts = detail::split_references(item, false);
  EXPECT_EQ(parts.body.size(), 3U);
  EXPECT_TRUE(parts.references.empty());
}

class DamagedReferences : public testing::Test {
 protected:
  // A body of 5 bytes and the references "one" and "three".
  DamagedReferences() : item_(5) {
    const std::vector<std::string> names{"one", "three"};
    detail::append_references(item_, names);
  }
  void overwrite(std::size_t offset, std::uint64_t value, std::size_t bytes) {
    std::memcpy(item_.data() + offset, &value, bytes);
  }
  void expect_refused(const std::string& with) {
    try {
      (void)detail::split_references(item_, true);
      ADD_FAILURE() << "not refused";
    } catch (const corrupt_segment& e) {
      EXPECT_THAT(e.what(), HasSubstr(with));
    }
    EXPECT_THROW(detail::release_references(item_), corrupt_segment);
  }
  std::size_t end() const { return item_.size() - sizeof(std::uint64_t); }

  std::vector<std::byte> item_;
};

TEST_F(DamagedReferences, AreFineBeforeTheDamage) {
  EXPECT_THAT(detail::split_references(item_, true).references, ElementsAre("one", "three"));
}
TEST_F(DamagedReferences, OfAnItemTooShortForTheirLength) {
  item_.resize(7);
  expect_refused("is missing");
}
TEST_F(DamagedReferences, LongerThanTheItem) {
  overwrite(end(), item_.size() + 1, 8);
  expect_refused("bytes long");
  overwrite(end(), ~std::uint64_t{0}, 8);
  expect_refused("bytes long");
}
TEST_F(DamagedReferences, ShorterThanTheirOwnLength) {
  overwrite(end(), 7, 8);
  expect_refused("is 7 bytes long");
}
TEST_F(DamagedReferences, ThatEndInTheMiddleOfALength) {
  overwrite(end(), 8 + 2, 8);
  expect_refused("ends in the middle");
}
TEST_F(DamagedReferences, WithANameThatIsTooLongOrEmpty) {
  overwrite(5, 200, 4);
  expect_refused("200 characters");
  overwrite(5, 0xffffffff, 4);
  expect_refused("4294967295 characters");
  overwrite(5, 0, 4);
  expect_refused("0 characters");
}

}  // namespace
}  // namespace weir::tests
