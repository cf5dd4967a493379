// SPDX-License-Identifier: BSL-1.0
#include "weir/codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <bitset>
#include <chrono>
#include <complex>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "weir/any.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using detail::codec;
using detail::encoder;
using detail::item_kind;
using testing::ElementsAre;

// ---------------------------------------------------------------------------------------------- which types, and how

struct point {
  double x = 0;
  double y = 0;
  friend bool operator==(const point&, const point&) = default;
};
struct reading {
  char name[32];
  std::array<double, 16> values;
  std::chrono::seconds at;
  std::optional<int> quality;
  enum { good, bad } state;
  point where[2];
};
struct no_default {
  explicit no_default(int v) : value(v) {}
  int value;
};
struct constant_member {
  const int id;
  double value;
};
struct thirty_two {
  int a[8];
  int b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5, c6, c7, d0, d1, d2, d3, d4, d5, d6, d7, e0, e1, e2, e3,
      e4, e5;
  double last;
};
class with_private_members {
 public:
  explicit with_private_members(int v = 0) : value_(v) {}
  [[nodiscard]] int value() const { return value_; }

 private:
  int value_;
};

struct with_pointer {
  int size;
  const double* data;
};
struct pointer_deep_inside {
  int size;
  struct {
    double scale;
    struct {
      char name[8];
      void (*callback)();
    } nested[2];
  } inner;
};
struct pointer_last {
  int a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, c0, c1, c2, c3, c4, c5, c6, c7,
      c8, c9, d0;
  char* last;
};
struct base_with_pointer : with_pointer {
  int more;
};
struct with_reference {
  int size;
  const int& target;
};
struct with_view {
  int size;
  std::string_view name;
};

struct customer {
  std::string name;
  std::vector<std::string> orders;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(name, orders);
  }
  friend bool operator==(const customer&, const customer&) = default;
};
struct tree {
  int value = 0;
  std::vector<tree> children;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(value, children);
  }
  friend bool operator==(const tree&, const tree&) = default;
};
class index_of_itself {  // trivially copyable, but its bytes would be wrong elsewhere
 public:
  explicit index_of_itself(int v = 0) : value_(v) {}
  [[nodiscard]] int value() const { return *self_; }
  index_of_itself(const index_of_itself&) = default;
  template <class Archive>
  void save(Archive& archive) const {
    archive(value_);
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(value_);
    self_ = &value_;
  }

 private:
  int value_;
  const int* self_ = nullptr;
};
struct no_serialize {
  std::string name;
};

template <class T>
constexpr item_kind kKind = detail::kind_of<T>();

static_assert(kKind<int> == item_kind::bytes && kKind<bool> == item_kind::bytes &&
              kKind<std::byte> == item_kind::bytes);
static_assert(kKind<point> == item_kind::bytes && kKind<reading> == item_kind::bytes);
static_assert(kKind<no_default> == item_kind::bytes && kKind<constant_member> == item_kind::bytes);
static_assert(kKind<thirty_two> == item_kind::bytes && kKind<with_private_members> == item_kind::bytes);
static_assert(kKind<std::array<point, 100>> == item_kind::bytes && kKind<std::bitset<9>> == item_kind::bytes);
static_assert(kKind<std::complex<double>> == item_kind::bytes && kKind<std::chrono::nanoseconds> == item_kind::bytes);
static_assert(kKind<std::optional<point>> == item_kind::bytes && kKind<std::variant<int, point>> == item_kind::bytes);

static_assert(kKind<std::string> == item_kind::sequence && kKind<std::u16string> == item_kind::sequence);
static_assert(kKind<std::vector<double>> == item_kind::sequence && kKind<std::vector<reading>> == item_kind::sequence);
static_assert(kKind<std::vector<no_default>> == item_kind::sequence);

static_assert(kKind<channel<int>> == item_kind::handle && kKind<channel<channel<any>>> == item_kind::handle);
static_assert(kKind<any> == item_kind::any);

static_assert(kKind<std::vector<bool>> == item_kind::archive && kKind<std::vector<std::string>> == item_kind::archive);
static_assert(kKind<std::pair<int, int>> == item_kind::archive && kKind<std::tuple<any, int>> == item_kind::archive);
static_assert(kKind<std::tuple<any>> == item_kind::archive && kKind<std::optional<any>> == item_kind::archive);
static_assert(kKind<std::map<std::string, std::vector<point>>> == item_kind::archive);
static_assert(kKind<std::vector<channel<int>>> == item_kind::archive &&
              kKind<std::array<any, 2>> == item_kind::archive);
static_assert(kKind<customer> == item_kind::archive && kKind<std::map<int, customer>> == item_kind::archive);
static_assert(kKind<tree> == item_kind::archive && kKind<index_of_itself> == item_kind::archive);

static_assert(!transportable<int*> && !transportable<void (*)()> && !transportable<int point::*>);
static_assert(!transportable<std::nullptr_t> && !transportable<int&> && !transportable<const int> &&
              !transportable<void>);
static_assert(!transportable<int[3]> && !transportable<std::array<int*, 3>> && !transportable<std::pair<int, int*>>);
static_assert(!transportable<with_pointer> && !transportable<pointer_deep_inside> && !transportable<pointer_last>);
static_assert(!transportable<base_with_pointer> && !transportable<with_reference> && !transportable<with_view>);
static_assert(!transportable<std::string_view> && !transportable<std::span<const int>>);
static_assert(!transportable<std::reference_wrapper<int>> && !transportable<std::initializer_list<int>>);
static_assert(!transportable<std::vector<int>::iterator> && !transportable<std::map<int, int>::iterator>);
static_assert(!transportable<std::optional<const char*>> && !transportable<std::variant<int, with_pointer>>);
static_assert(!transportable<std::unique_ptr<int>> && !transportable<std::shared_ptr<int>>);
static_assert(!transportable<std::mutex> && !transportable<std::atomic<int>> && !transportable<std::thread::id>);
static_assert(!transportable<no_serialize> && !transportable<std::vector<no_serialize>>);
static_assert(!transportable<std::map<int, std::unique_ptr<int>>> && !transportable<std::tuple<int, with_pointer>>);
static_assert(!transportable<std::list<no_default>>);  // cereal makes elements by default

template <class T>
T there_and_back(const T& value) {
  encoder encoded;
  codec<T>::encode(encoded, value);
  const std::vector<std::byte> body = encoded.body();
  return codec<T>::decode(body);
}

TEST(Codec, TriviallyCopyableValuesComeBackAsTheyWere) {
  EXPECT_EQ(there_and_back(7), 7);
  EXPECT_EQ(there_and_back(point{1, 2}), (point{1, 2}));
  EXPECT_EQ(there_and_back(no_default(3)).value, 3);
  EXPECT_EQ(there_and_back(constant_member{3, 4.0}).id, 3);
  EXPECT_EQ(there_and_back(with_private_members(5)).value(), 5);
  EXPECT_EQ(there_and_back(std::optional<int>(5)), 5);
}

TEST(Codec, SequencesComeBackAsTheyWere) {
  EXPECT_EQ(there_and_back(std::string("hello")), "hello");
  EXPECT_EQ(there_and_back(std::string()), "");
  EXPECT_THAT(there_and_back(std::vector<point>{{1, 2}, {3, 4}}), ElementsAre(point{1, 2}, point{3, 4}));
  EXPECT_EQ(there_and_back(std::vector<no_default>{no_default(8)}).at(0).value, 8);
  EXPECT_EQ(there_and_back(std::u16string(u"hi")), u"hi");
}

TEST(Codec, WhatCerealKnowsComesBackAsItWas) {
  const std::map<std::string, std::vector<point>> map{{"a", {{1, 2}}}, {"b", {}}};
  EXPECT_EQ(there_and_back(map), map);
  const std::tuple<int, std::string, std::optional<std::string>> tuple{1, "two", "three"};
  EXPECT_EQ(there_and_back(tuple), tuple);
  const std::vector<std::variant<int, std::string>> variants{1, "two"};
  EXPECT_EQ(there_and_back(variants), variants);
  const std::vector<bool> flags{true, false, true};
  EXPECT_EQ(there_and_back(flags), flags);
  const std::list<std::deque<std::set<short>>> nested{{{1, 2}, {}}, {}};
  EXPECT_EQ(there_and_back(nested), nested);
  const customer someone{"Ann", {"tea", "milk"}};
  EXPECT_EQ(there_and_back(someone), someone);
  const tree family{1, {{2, {}}, {3, {{4, {}}}}}};
  EXPECT_EQ(there_and_back(family), family);
  const std::vector<std::monostate> nothings(1000);  // elements without bytes
  EXPECT_EQ(there_and_back(std::list<std::monostate>(1000)).size(), nothings.size());
}

struct by_tens {
  bool operator()(int a, int b) const { return a / 10 < b / 10; }
};
TEST(Codec, EqualKeysStayInTheirOrder) {
  const std::multimap<int, std::string> map{{1, "a"}, {1, "b"}, {1, "c"}, {0, "z"}, {2, "q"}};
  EXPECT_EQ(there_and_back(map), map);
  EXPECT_EQ(there_and_back(std::vector{map, map}), (std::vector{map, map}));
  const std::multiset<int, by_tens> set{11, 12, 13, 5, 9, 22};
  EXPECT_THAT(there_and_back(set), testing::ElementsAre(5, 9, 11, 12, 13, 22));
}

TEST(Codec, AClassWithPrivateMembersAndSerializeFunctionsGoesByThose) {
  EXPECT_EQ(there_and_back(std::vector<index_of_itself>{index_of_itself(6)}).at(0).value(), 6);
}

TEST(Codec, TheItemTypeSaysHowToReadTheBytes) {
  EXPECT_EQ(codec<point>::type().kind, item_kind::bytes);
  EXPECT_EQ(codec<point>::type().fixed_bytes, sizeof(point));
  EXPECT_EQ(codec<point>::type().hash, detail::type_hash<point>());
  EXPECT_EQ(codec<std::vector<double>>::type().kind, item_kind::sequence);
  EXPECT_EQ(codec<std::vector<double>>::type().name, "std::vector<double>");
  EXPECT_EQ(codec<std::vector<double>>::type().element_name, "double");
  EXPECT_EQ(codec<std::vector<double>>::type().element_bytes, sizeof(double));
  EXPECT_EQ(codec<std::vector<double>>::type().fixed_bytes, 0U);
  EXPECT_EQ(codec<customer>::type().kind, item_kind::archive);
  EXPECT_EQ(codec<channel<int>>::type().name, "weir::channel<int>");
  EXPECT_EQ(codec<any>::type().kind, item_kind::any);
}

TEST(Codec, ALargeSequenceIsNotCopiedBeforeThePut) {
  const std::vector<double> large(1000, 1.5);
  encoder encoded;
  codec<std::vector<double>>::encode(encoded, large);
  const detail::payload item = encoded.item();
  ASSERT_EQ(item.parts.size(), 1U);
  EXPECT_EQ(static_cast<const void*>(item.parts[0].data()), large.data());
  EXPECT_EQ(item.parts[0].size(), large.size() * sizeof(double));
  EXPECT_FALSE(item.has_references);
}

TEST(Codec, DecodingIntoAVectorReusesItsStorage) {
  const std::vector<int> source(10, 4);
  std::vector<int> target(1000, 1);
  const int* const storage = target.data();
  codec<std::vector<int>>::decode_into(target, std::as_bytes(std::span(source)));
  EXPECT_EQ(target, source);
  EXPECT_EQ(target.data(), storage);
}

TEST(Codec, ASequenceIsDecodedFromAnyAddress) {
  const std::vector<double> source{1, 2, 3};
  std::vector<std::byte> shifted(1 + source.size() * sizeof(double));
  std::memcpy(shifted.data() + 1, source.data(), shifted.size() - 1);
  EXPECT_EQ(codec<std::vector<double>>::decode(std::span(shifted).subspan(1)), source);
}

// ----------------------------------------------------------------------------------------------------- damaged bytes

template <class T>
void expect_corrupt(std::span<const std::byte> body, const std::string& with) {
  try {
    (void)codec<T>::decode(body);
    ADD_FAILURE() << "decoded " << body.size() << " bytes";
  } catch (const corrupt_segment& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr(with));
    EXPECT_THAT(e.what(), testing::Not(testing::HasSubstr("\n")));
  }
}

TEST(DamagedBytes, ValuesOfTheWrongSizeAreRefusedByNameAndSize) {
  const std::vector<std::byte> bytes(9);
  expect_corrupt<double>(bytes, "type double: it has 9 bytes, expected 8");
  expect_corrupt<std::vector<double>>(bytes, "type std::vector<double>: it has 9 bytes, expected a multiple of 8");
}

TEST(DamagedBytes, EveryBeginningOfAnArchiveIsRefused) {
  encoder encoded;
  codec<tree>::encode(encoded, {1, {{2, {}}, {3, {{4, {}}}}}});
  const std::vector<std::byte> body = encoded.body();
  for (std::size_t length = 0; length < body.size(); ++length) expect_corrupt<tree>(std::span(body).first(length), "");
}

TEST(DamagedBytes, BytesThatAreLeftOverAreRefused) {
  encoder encoded;
  codec<customer>::encode(encoded, {"Ann", {}});
  encoded.write("x", 1);
  expect_corrupt<customer>(encoded.body(), "1 bytes are left over");
}

TEST(DamagedBytes, ACountThatCannotBeIsRefusedBeforeAnythingIsAllocated) {
  const std::uint64_t huge = std::uint64_t{1} << 60U;
  const auto bytes = std::as_bytes(std::span(&huge, 1));
  expect_corrupt<std::vector<std::string>>(bytes, "1152921504606846976 elements cannot be in the 0 bytes");
  expect_corrupt<std::vector<bool>>(bytes, "cannot be");
  expect_corrupt<std::map<int, int>>(bytes, "cannot be");
  expect_corrupt<std::tuple<std::string>>(bytes, "cannot be");
}

TEST(DamagedBytes, AVariantThatHoldsNoneOfItsTypesIsRefused) {
  const std::int32_t index = 9;
  expect_corrupt<std::variant<std::string, std::vector<int>>>(std::as_bytes(std::span(&index, 1)), "");
}

// ---------------------------------------------------------------------------------------------- several values in one

TEST(EncodedValues, ComeBackInOrder) {
  encoder encoded;
  const std::vector<double> large(1000, 2.5);
  detail::encode_values(encoded, 1, std::string("two"), large, std::map<int, std::string>{{4, "four"}}, any(5));
  const std::vector<std::byte> body = encoded.body();
  using values = std::tuple<int, std::string, std::vector<double>, std::map<int, std::string>, any>;
  const values decoded = detail::decode_values<values>(body);
  EXPECT_EQ(std::get<0>(decoded), 1);
  EXPECT_EQ(std::get<1>(decoded), "two");
  EXPECT_EQ(std::get<2>(decoded), large);
  EXPECT_EQ(std::get<3>(decoded).at(4), "four");
  EXPECT_EQ(std::get<4>(decoded).as<int>(), 5);
}

TEST(EncodedValues, OfNoValuesAreNoBytes) {
  encoder encoded;
  detail::encode_values(encoded);
  EXPECT_TRUE(encoded.body().empty());
  (void)detail::decode_values<std::tuple<>>({});
}

TEST(EncodedValues, EachBeginAtAMultipleOfSixteen) {
  const std::vector<double> large(100);
  encoder encoded;
  detail::encode_values(encoded, char{1}, std::string("abc"), large);
  const std::vector<std::byte> body = encoded.body();
  detail::frame_reader frames(body);
  for (const std::size_t expected : {1U, 3U, 800U}) {
    const auto value = frames.next();
    EXPECT_EQ((value.data() - body.data()) % 16, 0);
    EXPECT_EQ(value.size(), expected);
  }
  EXPECT_NO_THROW(frames.expect_end());
}

TEST(EncodedValues, OfOtherTypesAreRefused) {
  encoder encoded;
  detail::encode_values(encoded, 1, 2);
  const std::vector<std::byte> body = encoded.body();
  EXPECT_THROW((void)detail::decode_values<std::tuple<int>>(body), corrupt_segment);
  EXPECT_THROW((void)(detail::decode_values<std::tuple<int, int, int>>(body)), corrupt_segment);
  EXPECT_THROW((void)(detail::decode_values<std::tuple<int, double>>(body)), corrupt_segment);
  for (std::size_t length = 0; length < body.size(); ++length) {
    EXPECT_THROW((void)(detail::decode_values<std::tuple<int, int>>(std::span(body).first(length))), corrupt_segment);
  }
}

}  // namespace
}  // namespace weir::tests
