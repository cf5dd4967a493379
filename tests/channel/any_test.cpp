// SPDX-License-Identifier: BSL-1.0
#include "weir/any.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <thread>

#include "channel/channel_core.hpp"
#include "codec/any_layout.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using detail::any_header;
using detail::codec;
using detail::encoder;
using testing::HasSubstr;

std::vector<std::byte> encoded(const any& value) {
  encoder to;
  codec<any>::encode(to, value);
  return to.body();
}
any there_and_back(const any& value) {
  const std::vector<std::byte> body = encoded(value);
  return codec<any>::decode(body);
}
bool segment_exists(const std::string& name) { return std::filesystem::exists("/dev/shm/weir." + name); }

TEST(Any, HoldsWhatWasPutInIt) {
  const any number = 5;
  EXPECT_TRUE(number.has_value());
  EXPECT_TRUE(number.holds<int>());
  EXPECT_FALSE(number.holds<long>());
  EXPECT_EQ(number.type_name(), "int");
  EXPECT_EQ(number.as<int>(), 5);
  EXPECT_EQ(number.as<int>(), 5);  // it stays inside
}

TEST(Any, MakesStringsOfLiteralsAndViews) {
  EXPECT_EQ(any("hello").as<std::string>(), "hello");
  EXPECT_EQ(any(std::string_view("hello")).type_name(), "std::string");
}

TEST(Any, HoldsNothingAtFirst) {
  const any nothing;
  EXPECT_FALSE(nothing.has_value());
  EXPECT_FALSE(nothing.holds<int>());
  EXPECT_EQ(nothing.type_name(), "");
  EXPECT_THROW((void)nothing.as<int>(), type_mismatch);
}

TEST(Any, NamesBothTypesWhenAskedForAnother) {
  const any text = "hello";
  try {
    (void)text.as<int>();
    FAIL();
  } catch (const type_mismatch& e) {
    EXPECT_STREQ(e.what(), "weir: any: holds std::string, asked for int");
  }
  EXPECT_EQ(text.as<std::string>(), "hello");
}

TEST(Any, HoldsAnythingThatCanTravel) {
  using map = std::map<std::string, std::vector<int>>;
  const map values{{"a", {1, 2}}};
  EXPECT_EQ(any(values).as<map>(), values);
  EXPECT_EQ(any(std::vector<double>{1, 2}).as<std::vector<double>>(), (std::vector<double>{1, 2}));
  const std::vector<any> list{1, "two", any()};
  const auto back = any(list).as<std::vector<any>>();
  ASSERT_EQ(back.size(), 3U);
  EXPECT_EQ(back[0].as<int>(), 1);
  EXPECT_EQ(back[1].as<std::string>(), "two");
  EXPECT_FALSE(back[2].has_value());
  static_assert(!std::is_constructible_v<any, int*> && !std::is_constructible_v<any, std::nullptr_t>);
}

TEST(Any, CopiesStayGoodWhenTheOriginalIsGone) {
  any copy;
  {
    const any original = std::string("a text that is too long to lie in the string object itself");
    copy = original;
  }
  EXPECT_EQ(copy.as<std::string>().size(), 58U);
}

TEST(Any, CanBeReadByManyThreadsAtOnce) {
  const any shared = std::vector<int>(1000, 3);
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([copy = shared] {
      for (int n = 0; n < 100; ++n) EXPECT_EQ(copy.as<std::vector<int>>()[999], 3);
    });
  }
  for (std::thread& reader : readers) reader.join();
}

TEST(Any, KeepsTheObjectOfAHandleAlive) {
  std::string name;
  {
    any kept;
    {
      channel<int> ch(2);
      ch.put(7);
      name = ch.name();
      kept = ch;
    }
    EXPECT_TRUE(segment_exists(name));
    const any copy = kept;
    kept = any();
    EXPECT_EQ(copy.as<channel<int>>().take(), 7);
  }
  EXPECT_FALSE(segment_exists(name));
}

TEST(Any, KeepsTheObjectOfAHandleAliveAfterItWasSent) {
  std::string name;
  {
    any received;
    {
      channel<int> ch(2);
      ch.put(8);
      name = ch.name();
      channel<any> carrier(1);
      carrier.put(std::vector<channel<int>>{ch});
      received = carrier.take();
    }
    EXPECT_TRUE(segment_exists(name));
    EXPECT_EQ(received.as<std::vector<channel<int>>>().at(0).take(), 8);
  }
  EXPECT_FALSE(segment_exists(name));
}

// ------------------------------------------------------------------------------------------------ the bytes of an any

TEST(AnyBytes, ComeBackAsTheyWere) {
  EXPECT_EQ(there_and_back(5).as<int>(), 5);
  EXPECT_EQ(there_and_back("hello").as<std::string>(), "hello");
  EXPECT_FALSE(there_and_back(any()).has_value());
  EXPECT_EQ(there_and_back(any(std::vector<any>{any(any(3)), "x"})).as<std::vector<any>>()[0].as<int>(), 3);
}

TEST(AnyBytes, AreAsTheLayoutSays) {
  const std::vector<std::byte> body = encoded(std::vector<double>{1.5, 2.5});
  any_header header{};
  ASSERT_GE(body.size(), sizeof header);
  std::memcpy(&header, body.data(), sizeof header);
  EXPECT_EQ(header.type_hash, detail::hash_of("std::vector<double>"));
  EXPECT_EQ(header.kind, static_cast<std::uint32_t>(detail::item_kind::sequence));
  EXPECT_EQ(header.fixed_bytes, 0U);
  EXPECT_EQ(header.element_bytes, 8U);
  const std::string names(reinterpret_cast<const char*>(body.data()) + sizeof header,
                          header.type_bytes + header.element_name_bytes);
  EXPECT_EQ(names, "std::vector<double>double");
  EXPECT_EQ(header.value_offset, 80U);  // 48 + 25, rounded up
  EXPECT_EQ(header.value_bytes, 16U);
  EXPECT_EQ(header.reference_bytes, 0U);
  EXPECT_EQ(body.size(), 96U);
  double second = 0;
  std::memcpy(&second, body.data() + 88, sizeof second);
  EXPECT_EQ(second, 2.5);
}

TEST(AnyBytes, OfNothingAreAHeaderOfZeros) { EXPECT_EQ(encoded(any()), std::vector<std::byte>(sizeof(any_header))); }

TEST(AnyBytes, CutShortAreRefused) {
  channel<int> ch(1);
  for (const any& value : {any(5), any("hello"), any(std::vector<double>{1, 2}), any(ch), any()}) {
    const std::vector<std::byte> body = encoded(value);
    for (std::size_t length = 0; length < body.size(); ++length) {
      EXPECT_THROW((void)codec<any>::decode(std::span(body).first(length)), corrupt_segment);
    }
    std::vector<std::byte> longer = body;
    longer.emplace_back();
    EXPECT_THROW((void)codec<any>::decode(longer), corrupt_segment);
  }
}

class DamagedAny : public testing::Test {
 protected:
  void expect_refused(void (*damage)(any_header&), const std::string& with) {
    std::vector<std::byte> body = encoded(std::string("hello"));
    any_header header{};
    std::memcpy(&header, body.data(), sizeof header);
    damage(header);
    std::memcpy(body.data(), &header, sizeof header);
    try {
      (void)codec<any>::decode(body);
      ADD_FAILURE() << "not refused";
    } catch (const corrupt_segment& e) {
      EXPECT_THAT(e.what(), HasSubstr(with));
    }
  }
};

TEST_F(DamagedAny, WithATypeNameThatIsTooLong) {
  expect_refused([](any_header& h) { h.type_bytes = 1000; }, "type name is too long");
  expect_refused([](any_header& h) { h.element_name_bytes = 0xffffffff; }, "type name is too long");
}
TEST_F(DamagedAny, WithAValueThatBeginsOutside) {
  expect_refused([](any_header& h) { h.value_offset = 0xffffffff; }, "too long");
}
TEST_F(DamagedAny, WithAValueThatIsTooLong) {
  expect_refused([](any_header& h) { h.value_bytes = ~std::uint64_t{0}; }, "value is said");
  expect_refused([](any_header& h) { ++h.value_bytes; }, "value is said");
}
TEST_F(DamagedAny, WithReferencesThatAreNone) {
  expect_refused([](any_header& h) { h.value_bytes -= 4, h.reference_bytes = 4; }, "references");
}
TEST_F(DamagedAny, WithAHashOfAnotherType) {
  expect_refused([](any_header& h) { h.type_hash = 1; }, "do not agree");
}

}  // namespace
}  // namespace weir::tests
