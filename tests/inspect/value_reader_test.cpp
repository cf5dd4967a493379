// SPDX-License-Identifier: BSL-1.0
// Values as they are shown, from their bytes and their type's name alone: what programs send is read back in words.
#include "inspect/value_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bitset>
#include <chrono>
#include <complex>
#include <deque>
#include <forward_list>
#include <limits>
#include <list>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

#include "weir/any.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using detail::item_kind;
using inspect::value;
using inspect::value_kind;
using inspect::value_reader;
using testing::HasSubstr;
using testing::StartsWith;

struct point {
  int x = 0;
  int y = 0;
};
enum class colour : std::uint8_t { red, green };
struct person {
  std::string name;
  int age = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(name, age);
  }
};

template <class T>
std::vector<std::byte> encoded(const T& value) {
  detail::encoder out;
  detail::codec<T>::encode(out, value);
  return out.body();
}

template <class T>
value read(const T& value) {
  const detail::item_type& type = detail::codec<T>::type();
  return value_reader(type.name, type.kind, type.element_bytes).read(encoded(value));
}

template <class T>
std::string shown(const T& value) {
  return text_of(read(value));
}

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

value read_as(std::string_view type, item_kind kind, std::string_view bytes) {
  return value_reader(type, kind).read(bytes_of(bytes));
}

// ---- what lies in memory

TEST(ValueReader, ShowsNumbersAsTheyArePrinted) {
  EXPECT_EQ(shown(42), "42");
  EXPECT_EQ(shown(-1L), "-1");
  EXPECT_EQ(shown(std::numeric_limits<unsigned long long>::max()), "18446744073709551615");
  EXPECT_EQ(shown(std::int8_t{-7}), "-7");
  EXPECT_EQ(shown(std::uint8_t{200}), "200");
  EXPECT_EQ(shown(short{3}), "3");
  EXPECT_EQ(shown(0.1), "0.1");
  EXPECT_EQ(shown(0.1F), "0.1");
  EXPECT_EQ(shown(2.5L), "2.5");
  EXPECT_EQ(shown(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(shown(true), "true");
  EXPECT_EQ(shown('x'), "'x'");
  EXPECT_EQ(shown(std::byte{9}), "9");
  __extension__ using wide = __int128;
  EXPECT_EQ(shown(wide{-1} * 1'000'000'000'000 * 1'000'000'000'000), "-1000000000000000000000000");
}

TEST(ValueReader, ShowsArraysTuplesAndWhatIsLikeThem) {
  EXPECT_EQ(shown(std::array<int, 3>{1, 2, 3}), "(1, 2, 3)");
  EXPECT_EQ(shown(std::array<int, 10>{1, 2, 3}), "[1, 2, 3, …, 0, 0, 0] (10 elements; 0 to 3, mean 0.6)");
  EXPECT_EQ(shown(std::complex<double>(1.5, -2)), "(1.5, -2)");
  EXPECT_EQ(shown(std::pair<int, std::string>(1, "one")), "(1, \"one\")");
  EXPECT_EQ(shown(std::tuple<int, double, std::string>(1, 2.5, "x")), "(1, 2.5, \"x\")");
  EXPECT_EQ(shown(std::bitset<5>(6)), "\"00110\"");
  EXPECT_EQ(shown(std::bitset<70>(1)).size(), 72U);
}

TEST(ValueReader, ShowsOptionalsAndVariants) {
  EXPECT_EQ(shown(std::optional<int>()), "nothing");
  EXPECT_EQ(shown(std::optional<int>(5)), "5");
  EXPECT_EQ(shown(std::optional<std::string>("x")), "\"x\"");
  EXPECT_EQ(shown(std::optional<std::string>()), "nothing");
  EXPECT_EQ(shown(std::variant<int, double>(2.5)), "2.5");
  EXPECT_EQ(shown(std::variant<std::monostate, int>()), "nothing");
  EXPECT_EQ(shown(std::variant<std::monostate, int, std::string>("text")), "\"text\"");
}

TEST(ValueReader, ShowsDurationsWithTheirUnits) {
  using namespace std::chrono;
  EXPECT_EQ(shown(nanoseconds(5)), "5 ns");
  EXPECT_EQ(shown(milliseconds(5)), "5 ms");
  EXPECT_EQ(shown(hours(2)), "2 h");
  EXPECT_EQ(shown(duration<double>(1.5)), "1.5 s");
  EXPECT_EQ(shown(duration<int, std::ratio<1, 30>>(7)), "7 x 1/30 s");
  EXPECT_EQ(shown(system_clock::time_point(nanoseconds(7))), "7 ns since 1970");
  EXPECT_EQ(shown(std::map<int, milliseconds>{{1, milliseconds(3)}}), "{1: 3 ms}");
}

TEST(ValueReader, ShowsUnknownTypesAsBytesWithTheirName) {
  EXPECT_EQ(shown(point{1, 2}),
            "weir::tests::(anonymous namespace)::point {01 00 00 00 02 00 00 00} (8 bytes, as an "
            "integer 8589934593)");
  EXPECT_THAT(shown(colour::green), HasSubstr("colour {01} (1 byte, as an integer 1)"));
  struct wide {
    std::array<unsigned char, 40> bytes;
  };
  EXPECT_THAT(shown(wide{}), HasSubstr("00 …} (40 bytes)"));
  EXPECT_THAT(shown(std::array<point, 2>{}), HasSubstr("point {00 00"));
}

// ---- sequences

TEST(ValueReader, QuotesStrings) {
  EXPECT_EQ(shown(std::string("two\nlines \"and\" \\ more\t\x01")), R"("two\nlines \"and\" \\ more\t\x01")");
  EXPECT_EQ(shown(std::u16string(u"äöü\U0001f600")), "\"äöü\U0001f600\"");
  EXPECT_EQ(shown(std::wstring(L"wide")), "\"wide\"");
  EXPECT_EQ(shown(std::string()), "\"\"");
  const std::string text = shown(std::string(5000, 'x'));
  EXPECT_THAT(text, HasSubstr("x\"… (5000 characters)"));
  EXPECT_LT(text.size(), 1200U);
}

TEST(ValueReader, ShowsFirstAndLastOfALongVectorAndItsStatistics) {
  EXPECT_EQ(shown(std::vector<int>()), "[]");
  EXPECT_EQ(shown(std::vector<int>{1, 2, 3, 4, 5, 6}), "[1, 2, 3, 4, 5, 6]");
  std::vector<double> many(1000);
  std::iota(many.begin(), many.end(), 0.0);
  EXPECT_EQ(shown(many), "[0, 1, 2, …, 997, 998, 999] (1000 elements; 0 to 999, mean 499.5)");
  many[500] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(shown(many), HasSubstr("1 NaN"));
  EXPECT_THAT(shown(std::vector<point>(7)), HasSubstr("(7 elements)"));
  EXPECT_EQ(shown(std::vector<std::complex<double>>(2)), "[(0, 0), (0, 0)]");
  EXPECT_EQ(shown(std::vector<std::optional<int>>{1, std::nullopt}), "[1, nothing]");
}

// ---- archives

TEST(ValueReader, ShowsContainersInContainers) {
  using strings = std::vector<std::string>;
  EXPECT_EQ(shown(strings{"a", "b"}), R"(["a", "b"])");
  EXPECT_EQ(shown(strings(9, "x")), R"(["x", "x", "x", …, "x", "x", "x"] (9 elements))");
  EXPECT_EQ(shown(std::vector<std::vector<int>>{{1, 2}, {}, {3}}), "[[1, 2], [], [3]]");
  EXPECT_EQ(shown(std::vector<bool>{true, false}), "[true, false]");
  EXPECT_EQ(shown(std::deque<int>{1, 2}), "[1, 2]");
  EXPECT_EQ(shown(std::list<std::string>{"a"}), R"(["a"])");
  EXPECT_EQ(shown(std::forward_list<int>{1}), "[1]");
  EXPECT_EQ(shown(std::set<std::string>{"a", "b"}), R"(["a", "b"])");
  EXPECT_EQ(shown(std::multiset<int>{1, 1}), "[1, 1]");
  EXPECT_EQ(shown(std::map<std::string, int>{{"a", 1}, {"b", 2}}), R"({"a": 1, "b": 2})");
  EXPECT_EQ(shown(std::unordered_map<int, std::string>{{1, "x"}}), R"({1: "x"})");
  EXPECT_EQ(shown(std::array<std::string, 2>{"a", "b"}), R"(("a", "b"))");
  EXPECT_EQ(shown(std::vector<std::variant<int, std::string>>{1, "x"}), R"([1, "x"])");
  EXPECT_EQ(shown(std::vector<std::bitset<70>>{std::bitset<70>(1)}).back(), ']');
  std::map<int, std::vector<double>> large;
  for (int i = 0; i < 100; ++i) large[i] = {0.5};
  EXPECT_EQ(shown(large), "{0: [0.5], 1: [0.5], 2: [0.5], …, 97: [0.5], 98: [0.5], 99: [0.5]} (100 elements)");
}

TEST(ValueReader, DoesNotGuessWhereAUsersTypeEnds) {
  EXPECT_THAT(shown(person{"Ada", 36}), HasSubstr("person {03 00 00 00 00 00 00 00 41 64 61 24"));
  const std::string text = shown(std::vector<person>{{"Ada", 36}, {"Bo", 1}});
  EXPECT_THAT(text, AllOf(StartsWith("["), HasSubstr("person {"), HasSubstr(", …]")));
  EXPECT_EQ(damage_in(read(std::vector<person>{{"Ada", 36}, {"Bo", 1}})), "");
}

// ---- any and handles

TEST(ValueReader, ShowsAnyByItsOwnType) {
  EXPECT_EQ(shown(any()), "nothing");
  EXPECT_EQ(shown(any("text")), "std::string \"text\"");
  EXPECT_EQ(shown(any(5)), "int 5");
  EXPECT_EQ(shown(any(std::vector<int>{1, 2})), "std::vector<int> [1, 2]");
  EXPECT_EQ(shown(std::vector<any>{any(1), any("x")}), "[int 1, std::string \"x\"]");
  const any nested(std::map<std::string, any>{{"k", any(std::vector<std::string>{"a"})}});
  EXPECT_EQ(shown(nested), R"(std::map<std::string, weir::any> {"k": std::vector<std::string> ["a"]})");
}

TEST(ValueReader, ShowsWhatHandlesReferTo) {
  const channel<int> inner(2);
  const std::string text = shown(inner);
  EXPECT_THAT(text, StartsWith("weir::channel<int> \"@"));
  EXPECT_THAT(shown(std::vector<channel<int>>{inner}), StartsWith("[weir::channel<int> \"@"));
  EXPECT_EQ(text_of(read_as("weir::array<double, 2>", item_kind::handle, "/array/grid")),
            "weir::array<double, 2> \"grid\"");
  EXPECT_EQ(text_of(read_as("weir::distributed_array<double, 1>", item_kind::handle, "/array/d?1,2")),
            "weir::distributed_array<double, 1> \"d\"");
  EXPECT_EQ(text_of(read_as("weir::worker", item_kind::handle, "/worker/3")), "weir::worker \"/worker/3\"");
}

// ---- damage

TEST(ValueReader, SaysWhatIsWrongWithDamagedBytes) {
  const auto damage = [](std::string_view type, item_kind kind, std::string_view bytes) {
    return damage_in(read_as(type, kind, bytes));
  };
  using namespace std::string_view_literals;
  EXPECT_EQ(damage("bool", item_kind::bytes, "\x07"), "a bool that is 7");
  EXPECT_EQ(damage("std::optional<char>", item_kind::bytes, "x\x02"), "an optional whose bool is 2");
  EXPECT_THAT(damage("std::variant<char, bool>", item_kind::bytes, "x\x05"), HasSubstr("alternative 5, of 2"));
  EXPECT_THAT(damage("std::vector<double>", item_kind::sequence, "123"), HasSubstr("3 bytes are no elements of 8"));
  EXPECT_THAT(damage("std::vector<std::string>", item_kind::archive, "\x01\0\0\0\0\0\0\0\xff"sv),
              HasSubstr("8 bytes are wanted where 1 are left"));
  EXPECT_THAT(damage("std::vector<std::string>", item_kind::archive, "\xff\xff\xff\xff\xff\xff\xff\xff"sv),
              HasSubstr("bytes are wanted"));
  EXPECT_THAT(damage("std::vector<std::vector<int>>", item_kind::archive, "\0\0\0\0\0\0\0\0more"sv),
              HasSubstr("4 bytes are left over"));
  EXPECT_THAT(damage("weir::any", item_kind::any, "short"), HasSubstr("an any of 5 bytes"));
  EXPECT_THAT(damage("weir::channel<int>", item_kind::handle, ""), HasSubstr("a handle of 0 bytes"));
  EXPECT_THAT(damage("int", static_cast<item_kind>(77), "1234"), HasSubstr("unknown kind 77"));
  EXPECT_EQ(damage("int", item_kind::bytes, "123"), "");  // of another size than that name says: shown as bytes
}

TEST(ValueReader, EndsSoonWhateverACountSays) {
  // Elements that take no bytes, nested in each other, of which a few bytes can claim any number.
  const std::string most(8, '\xff');
  for (const std::string type :
       {"std::vector<std::monostate>", "std::vector<std::array<std::string, 0>>", "std::list<std::tuple<>>",
        "std::map<std::monostate, std::monostate>", "std::vector<std::pair<std::monostate, std::array<int, 0>>>"}) {
    const value found = read_as(type, item_kind::archive, most);
    EXPECT_LE(found.parts.size(), 3U) << type;
  }
  const std::string huge = "std::array<std::array<std::array<int, 4000000000>, 4000000000>, 4000000000>";
  EXPECT_NE(read_as(huge, item_kind::archive, most).is, value_kind::nothing);
  EXPECT_NE(read_as(huge, item_kind::bytes, most).is, value_kind::nothing);
}

TEST(ValueReader, ShowsNoMoreOfDeepAndWideValuesThanFits) {
  any deep(1);
  for (int i = 0; i < 200; ++i) deep = any(std::vector<any>{deep});
  EXPECT_THAT(shown(deep), HasSubstr("…"));
  using level3 = std::vector<std::vector<std::vector<std::vector<std::vector<std::string>>>>>;
  const std::vector<std::string> leaves(9, "leaf");
  const level3 wide(9, {9, {9, {9, leaves}}});
  EXPECT_LT(shown(wide).size(), 200'000U);
}

TEST(ValueReader, SurvivesAnyBytesUnderAnyName) {
  std::mt19937 random(7);
  const std::vector<std::string> words{"std::vector<",
                                       "std::map<",
                                       "std::pair<",
                                       "std::tuple<",
                                       "std::optional<",
                                       "std::variant<",
                                       "std::array<",
                                       "int",
                                       "std::string",
                                       "double",
                                       "weir::any",
                                       ", ",
                                       ">",
                                       "3",
                                       "std::bitset<",
                                       "x",
                                       "bool",
                                       "std::monostate",
                                       "weir::channel<",
                                       "("};
  for (int round = 0; round < 20'000; ++round) {
    std::string type;
    for (auto left = random() % 12; left > 0; --left) type += words[random() % words.size()];
    std::string bytes(random() % 120, '\0');
    for (char& byte : bytes) byte = random() % 3 == 0 ? static_cast<char>(random()) : static_cast<char>(random() % 4);
    static_cast<void>(text_of(read_as(type, static_cast<item_kind>(random() % 7), bytes)));
  }
}

TEST(ValueReader, ReadsItemsWithTheirListsOfReferences) {
  detail::encoder out;
  const std::vector<channel<int>> handles{channel<int>(1)};
  detail::codec<std::vector<channel<int>>>::encode(out, handles);
  std::vector<std::byte> item;
  for (const auto part : out.item().parts) item.insert(item.end(), part.begin(), part.end());
  const detail::item_type& type = detail::codec<std::vector<channel<int>>>::type();
  const value_reader reader(type.name, type.kind);
  EXPECT_THAT(text_of(read_item(reader, item, true)), StartsWith("[weir::channel<int> \"@"));
  EXPECT_THAT(damage_in(read_item(reader, item, false)), HasSubstr("left over"));
  item.back() = std::byte{0xff};
  EXPECT_THAT(damage_in(read_item(reader, item, true)), HasSubstr("list of references"));
}

}  // namespace
}  // namespace weir::tests
