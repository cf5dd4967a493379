// SPDX-License-Identifier: BSL-1.0
// Channels whose bytes are wrong when they are opened, or go wrong while they are used: operations say corrupt_segment;
// none hangs, or touches what is not the channel's.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "channel/channel_layout.hpp"
#include "support/names.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

namespace ch = weir::channels;
using testing::HasSubstr;
using testing::ThrowsMessage;

class DamagedChannel : public NamedSegments {
 protected:
  static constexpr std::size_t kCapacity = 3;  // no power of two
  static constexpr std::size_t kLong = 3000;   // lies in a block

  template <class T>
  void overwrite(std::uint64_t offset, const T& value) const {
    const shm::unique_fd file(::open(path().c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(::pwrite(file.get(), &value, sizeof value, static_cast<off_t>(offset)),
              static_cast<ssize_t>(sizeof value));
  }
  template <class T>
  void overwrite_header(std::size_t field, const T& value) const {
    overwrite(shm::kPage + field, value);
  }
  [[nodiscard]] std::uint64_t word_of_header(std::size_t field) const {
    const shm::unique_fd file(::open(path().c_str(), O_RDONLY | O_CLOEXEC));
    std::uint64_t word = 0;
    EXPECT_EQ(::pread(file.get(), &word, sizeof word, static_cast<off_t>(shm::kPage + field)), 8);
    return word;
  }
  [[nodiscard]] std::uint64_t slot(std::size_t index) const {
    const std::uint64_t bytes = word_of_header(offsetof(ch::channel_header, slot_bytes)) & 0xffffffff;
    const ch::slot_order row_of(word_of_header(offsetof(ch::channel_header, slot_count)), bytes);
    return word_of_header(offsetof(ch::channel_header, slots_offset)) + row_of(index) * bytes;
  }
  [[nodiscard]] std::uint64_t block(std::size_t index) const {
    return word_of_header(offsetof(ch::channel_header, block_table_offset)) + index * sizeof(ch::block_entry);
  }
  template <class Operation>
  void expect_corrupt(Operation&& operation, const char* why) const {
    EXPECT_THAT(operation, ThrowsMessage<corrupt_segment>(HasSubstr(why)));
  }
};

using Text = channel<std::string>;

TEST_F(DamagedChannel, WithTurnsThatLeadInACircleIsCorruptAndDoesNotHang) {
  auto texts = Text::create(name(), kCapacity);
  for (std::uint64_t i = 0; i < kCapacity; ++i) {
    overwrite(slot(i), ch::make_state((i + 1) * ((std::uint64_t{1} << 48U) / kCapacity), ch::phase::reading, 1));
  }
  expect_corrupt([&] { static_cast<void>(texts.try_put("a")); }, "cannot be");
  expect_corrupt([&] { static_cast<void>(texts.try_take()); }, "cannot be");
  expect_corrupt([&] { static_cast<void>(texts.try_fetch()); }, "cannot be");
  EXPECT_LE(texts.size(), kCapacity);
}

TEST_F(DamagedChannel, WithAnEmptySlotThatHasAnOwnerIsCorruptAndDoesNotHang) {
  auto texts = Text::create(name(), kCapacity);
  overwrite(slot(0), ch::make_state(0, ch::phase::empty, 7));
  expect_corrupt([&] { static_cast<void>(texts.try_put("a")); }, "cannot be");
}

TEST_F(DamagedChannel, WithAFullSlotThatHasAnOwnerIsCorruptAndDoesNotHang) {
  auto texts = Text::create(name(), kCapacity);
  texts.put("a");
  overwrite(slot(0), ch::make_state(0, ch::phase::full, 7));
  expect_corrupt([&] { static_cast<void>(texts.try_take()); }, "cannot be");
  expect_corrupt([&] { static_cast<void>(texts.try_fetch()); }, "cannot be");
}

TEST_F(DamagedChannel, WithAPhaseThatThereIsNotIsCorruptAndDoesNotHang) {
  auto texts = Text::create(name(), kCapacity);
  overwrite(slot(0), ch::make_state(0, static_cast<ch::phase>(12)));
  expect_corrupt([&] { static_cast<void>(texts.try_put("a")); }, "cannot be");
  expect_corrupt([&] { static_cast<void>(texts.try_take()); }, "cannot be");
}

TEST_F(DamagedChannel, LosesAnItemWhoseBlockDoesNotExistAndGoesOn) {
  auto texts = Text::create(name(), kCapacity);
  texts.put("a");
  texts.put("b");
  overwrite(slot(0) + offsetof(ch::slot, meta), ch::make_meta(9999, 0, 0));
  expect_corrupt([&] { static_cast<void>(texts.take()); }, "block 9999");
  EXPECT_EQ(texts.take(), "b");
  for (std::size_t i = 0; i < 2 * kCapacity; ++i) {  // the slot is in nobody's way
    texts.put("c");
    EXPECT_EQ(texts.take(), "c");
  }
}

TEST_F(DamagedChannel, DoesNotBelieveAnItemLongerThanTheMemoryOfItsBlock) {
  auto texts = Text::create(name(), kCapacity);
  texts.put(std::string(kLong, 'x'));
  overwrite(slot(0) + offsetof(ch::slot, length), std::uint64_t{1} << 32U);
  expect_corrupt([&] { static_cast<void>(texts.take()); }, "4294967296 bytes");
  texts.put(std::string(kLong, 'x'));
  overwrite(slot(1) + offsetof(ch::slot, length), std::uint64_t{1} << 32U);
  overwrite(block(1) + offsetof(ch::block_entry, reserved), std::uint64_t{1} << 32U);
  overwrite(block(0) + offsetof(ch::block_entry, reserved), std::uint64_t{1} << 32U);
  expect_corrupt([&] { static_cast<void>(texts.take_view()); }, "4294967296 bytes");
}

TEST_F(DamagedChannel, SaysSoWhenTheLockIsHeldByAThreadThatIsNotThere) {
  auto texts = Text::create(name(), kCapacity);
  constexpr std::uint32_t kNoThread = 0x3ffffff0;
  overwrite_header(offsetof(ch::channel_header, mutex), kNoThread);
  expect_corrupt([&] { texts.close(); }, "held by thread");
  expect_corrupt(
      [&] {
        static_cast<void>(texts.peek());
        texts.close();
      },
      "held by thread");
}

TEST_F(DamagedChannel, WhoseLockIsNoMutexOfOursIsCorrupt) {
  auto texts = Text::create(name(), kCapacity);
  constexpr std::size_t kKind = 16;  // of glibc's mutex
  overwrite_header(offsetof(ch::channel_header, mutex) + kKind, std::uint32_t{1});
  expect_corrupt([&] { texts.close(); }, "not a mutex");
}

TEST_F(DamagedChannel, GoesByWhatItFoundWhenItWasOpened) {
  auto texts = Text::create(name(), kCapacity, {.max_item_bytes = kLong});
  for (std::size_t field = 0; field < offsetof(ch::channel_header, closed); field += 8) {
    overwrite_header(field, ~std::uint64_t{0});
  }
  overwrite_header(offsetof(ch::channel_header, participants_high), ~std::uint32_t{0});
  overwrite_header(offsetof(ch::channel_header, waiters_high), ~std::uint32_t{0});
  overwrite(offsetof(shm::segment_header, name_bytes), std::array{~std::uint32_t{0}, ~std::uint32_t{0}});
  texts.put(std::string(kLong, 'x'));
  EXPECT_EQ(texts.take().size(), kLong);
  EXPECT_THROW(texts.put(std::string(kLong + 1, 'x')), item_too_large);
  EXPECT_EQ(texts.capacity(), kCapacity);
  EXPECT_EQ(texts.name(), name());
  EXPECT_EQ(texts.take_for(std::chrono::milliseconds(300)), std::nullopt);  // looks for the dead meanwhile
}

TEST_F(DamagedChannel, WithSlotsThatItsItemsDoNotSuitIsCorrupt) {
  { const auto numbers = channel<int>::create(name(), kCapacity); }
  overwrite(offsetof(shm::segment_header, fixed_bytes), std::uint32_t{200});
  EXPECT_THROW(channel<int>::open(name()), corrupt_segment);
}

TEST_F(DamagedChannel, OfFixedItemsMayBeOpenedWhateverItsLargestItemWasSaidToBe) {
  const auto numbers = channel<int>::create(name(), kCapacity, {.max_item_bytes = 4096});
  EXPECT_EQ(channel<int>::open(name()).capacity(), kCapacity);
  { const auto others = channel<int>::create(name("other"), kCapacity, {.max_item_bytes = 4096}); }
  EXPECT_EQ(channel<int>::open(name("other")).capacity(), kCapacity);
}

// ---- values

struct tree {
  std::vector<tree> branches;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(branches);
  }
};

TEST(DamagedValue, OfABoolIsCorrupt) {
  const std::vector<std::byte> two{std::byte{2}};
  EXPECT_THROW(static_cast<void>(detail::codec<bool>::decode(two)), corrupt_segment);
  EXPECT_THROW(static_cast<void>(detail::codec<std::optional<std::string>>::decode(two)), corrupt_segment);
}

TEST(DamagedValue, ThatLiesTooDeepIsCorruptAndOverflowsNoStack) {
  std::vector<std::byte> deep;
  for (int level = 0; level < 1'000'000; ++level) {
    deep.insert(deep.end(), {std::byte{1}, {}, {}, {}, {}, {}, {}, {}});  // one branch
  }
  EXPECT_THAT([&] { static_cast<void>(detail::codec<tree>::decode(deep)); },
              ThrowsMessage<corrupt_segment>(HasSubstr("deep")));
  tree root;
  tree* at = &root;
  for (int level = 0; level < 2000; ++level) at = &at->branches.emplace_back();
  detail::encoder out;
  EXPECT_THROW(detail::codec<tree>::encode(out, root), invalid_argument);
}

}  // namespace
}  // namespace weir::tests
