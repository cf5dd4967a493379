// SPDX-License-Identifier: BSL-1.0
// What `weir peek` prints of channels and arrays.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "inspect/channel_fixture.hpp"
#include "tools/run_command.hpp"
#include "weir/any.hpp"
#include "weir/array.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class PeekCommand : public InspectedChannel {
 protected:
  [[nodiscard]] json peek(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"peek", name(), "--json"});
    const command_result result = run_weir(more);
    EXPECT_EQ(result.status, 0) << result.err;
    return json::parse(result.out);
  }
};

TEST_F(PeekCommand, ShowsTheOldestItemsAndTakesNone) {
  auto channel = weir::channel<int>::create(name(), 30);
  for (int i = 0; i < 20; ++i) channel.put(100 + i);
  const command_result result = run_weir({"peek", name()});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("channel of int"), HasSubstr("TICKET  BYTES  VALUE\n     0      4  100\n"),
                                HasSubstr("     9      4  109\n"), Not(HasSubstr("110")), HasSubstr("10 of 20 items")));
  EXPECT_THAT(run_weir({"peek", "weir." + name(), "-n", "0"}).out, AllOf(HasSubstr("119"), HasSubstr("\n20 items")));
  EXPECT_THAT(run_weir({"peek", name(), "-n", "2"}).out, HasSubstr("2 of 20 items"));
  EXPECT_EQ(channel.size(), 20U);
}

TEST_F(PeekCommand, LeavesNoTrace) {
  auto channel = weir::channel<std::string>::create(name(), 3);
  channel.put("x");
  struct stat before {};
  struct stat after {};
  ASSERT_EQ(::stat(path().c_str(), &before), 0);
  EXPECT_EQ(run_weir({"peek", name()}).status, 0);
  ASSERT_EQ(::stat(path().c_str(), &after), 0);
  EXPECT_EQ(before.st_atim.tv_nsec, after.st_atim.tv_nsec);
  EXPECT_EQ(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}

TEST_F(PeekCommand, ShowsValuesByTheirTypes) {
  auto channel = weir::channel<any>::create(name(), 8);
  channel.put("two\nlines");
  channel.put(std::vector<double>(100, 0.5));
  channel.put(std::map<std::string, int>{{"a", 1}});
  channel.put(any());
  const command_result result = run_weir({"peek", name()});
  EXPECT_THAT(result.out, AllOf(HasSubstr(R"(std::string "two\nlines")"),
                                HasSubstr("std::vector<double> [0.5, 0.5, 0.5, …, 0.5, 0.5, 0.5] (100 elements; 0.5 to "
                                          "0.5, mean 0.5)"),
                                HasSubstr(R"({"a": 1})"), HasSubstr("nothing")));
}

TEST_F(PeekCommand, AsJsonHasValuesAsTheyAre) {
  using row = std::tuple<std::string, double, std::optional<std::string>, bool>;
  auto channel = weir::channel<row>::create(name(), 4);
  channel.put(row("text", 1.5, std::nullopt, true));
  channel.put(row("text", std::numeric_limits<double>::quiet_NaN(), "x", false));
  const json shown = peek();
  EXPECT_EQ(shown["kind"], "channel");
  EXPECT_EQ(shown["items"][0]["value"], (json{"text", 1.5, nullptr, true}));
  EXPECT_EQ(shown["items"][1]["value"], (json{"text", "nan", "x", false}));
  EXPECT_EQ(shown["items"][1]["ticket"], 1);
  EXPECT_EQ(shown["shown"], 2);
  EXPECT_EQ(shown["changing"], 0);
  EXPECT_EQ(shown["corrupt"], 0);
}

TEST_F(PeekCommand, AsJsonHasLongVectorsInShort) {
  auto channel = weir::channel<std::vector<int>>::create(name(), 4);
  std::vector<int> many(1000);
  for (int i = 0; i < 1000; ++i) many[static_cast<std::size_t>(i)] = i;
  channel.put(many);
  const json shown = peek()["items"][0]["value"];
  EXPECT_EQ(shown["elements"], 1000);
  EXPECT_EQ(shown["first"], (json{0, 1, 2}));
  EXPECT_EQ(shown["last"], (json{997, 998, 999}));
  EXPECT_EQ(shown["numbers"], (json{{"min", 0}, {"max", 999}, {"mean", 499.5}, {"nan_count", 0}}));
}

TEST_F(PeekCommand, PrintsNothingThatATerminalWouldObey) {
  auto channel = weir::channel<std::string>::create(name(), 4);
  channel.put("\x1b[2J\xff");
  const command_result result = run_weir({"peek", name()});
  EXPECT_THAT(result.out, AllOf(HasSubstr("\\x1b[2J\\xff"), Not(HasSubstr("\x1b"))));
  EXPECT_EQ(peek()["shown"], 1);
}

TEST_F(PeekCommand, SaysWhichItemIsCorruptAndExitsWith1) {
  auto channel = weir::channel<std::vector<std::string>>::create(name(), 4);
  channel.put({"first"});
  channel.put({"second"});
  const channels::channel_geometry geometry = look().geometry;
  overwrite(geometry.offset_of_slot(0) + channels::kPiece, std::uint64_t{1} << 60U);
  const command_result result = run_weir({"peek", name()});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, AllOf(HasSubstr("corrupt: "), HasSubstr(R"(["second"])")));
}

TEST_F(PeekCommand, SaysWhatItCannotShow) {
  EXPECT_THAT(run_weir({"peek", name()}).err, HasSubstr("nothing has that name"));
  EXPECT_EQ(run_weir({"peek", name()}).status, 1);
  { const auto channel = weir::channel<int>::create(name(), 3); }
  EXPECT_EQ(run_weir({"peek", name(), "--range", "1:2"}).status, 2);
  ASSERT_EQ(::truncate(path().c_str(), 100), 0);
  const command_result result = run_weir({"peek", name()});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("corrupt: the file has 100 bytes"));
  EXPECT_THAT(result.out, IsEmpty());
}

// ---- arrays

TEST_F(PeekCommand, ShowsAnArraysCornersAndStatistics) {
  const auto grid = weir::array<float, 2>::create(name(), {100, 200});
  for (std::size_t i = 0; i < 100; ++i) {
    for (std::size_t j = 0; j < 200; ++j) grid(i, j) = static_cast<float>(i * 1000 + j);
  }
  const command_result result = run_weir({"peek", name()});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("100x200 row_major of float"), HasSubstr("20000 elements, 0 to 99199, mean "),
                                HasSubstr("[[    0,     1,     2, ...,   197,   198,   199],"),
                                HasSubstr("[99000, 99001, 99002, ..., 99197, 99198, 99199]]")));
}

TEST_F(PeekCommand, ShowsARangeOfAnArrayInEitherOrder) {
  for (const order each : {order::row_major, order::column_major}) {
    auto cube = weir::array<int, 3>::create(name(), {4, 5, 6}, {.order = each});
    for (std::size_t i = 0; i < 120; ++i) cube(i / 30, i / 6 % 5, i % 6) = static_cast<int>(i);
    const json shown = peek({"--range", "2,-2:,:3"});
    EXPECT_EQ(shown["range"], (json{{2, 3}, {3, 5}, {0, 3}}));
    EXPECT_EQ(shown["values"], json::parse("[[[78, 79, 80], [84, 85, 86]]]"));
    EXPECT_EQ(shown["numbers"]["max"], 119);
    EXPECT_THAT(run_weir({"peek", name(), "--range", "3,4,5"}).out, HasSubstr("[[[119]]]"));
    weir::array<int, 3>::remove(name());
  }
}

TEST_F(PeekCommand, RefusesRangesThatAreNone) {
  const auto grid = weir::array<float, 2>::create(name(), {3, 4});
  for (const char* range : {"5", "1:1", "2:1", "0:9", "x", "1,2,3", "1,", ",1", "1:2:3"}) {
    const command_result result = run_weir({"peek", name(), "--range", range});
    EXPECT_EQ(result.status, 2) << range;
    EXPECT_THAT(result.err, HasSubstr("weir: peek \"")) << range;
  }
}

TEST_F(PeekCommand, ShowsArraysThatLieInFiles) {
  const std::string file = testing::TempDir() + name() + ".bin";
  auto lying = weir::array<double>::map_file(file, {5});
  lying(3) = 2.5;
  const command_result result = run_weir({"peek", lying.name()});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("[  0,   0,   0, 2.5,   0]"));
  ASSERT_EQ(::unlink(file.c_str()), 0);
  EXPECT_THAT(run_weir({"peek", lying.name()}).err, HasSubstr("No such file"));
}

}  // namespace
}  // namespace weir::tests
