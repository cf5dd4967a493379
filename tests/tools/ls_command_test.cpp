// SPDX-License-Identifier: BSL-1.0
// What `weir ls` chooses, and how it makes do with the width of a terminal.
#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/leftovers.hpp"
#include "support/session.hpp"
#include "tools/run_command.hpp"
#include "weir/weir.hpp"

namespace weir::tests {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

std::size_t width_of(const std::string& line) {  // characters
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::vector<std::string> on_a_terminal_of(unsigned short columns, const std::vector<std::string>& arguments) {
  return lines_of(run_weir(arguments, {.on_a_terminal = true, .columns = columns, .no_color = true}).out);
}

TEST(LsCommand, ListsOneKind) {
  in_own_memory([] {
    const auto jobs = channel<int>::create("jobs", 2);
    const auto grid = array<double, 2>::create("grid", {2, 2});
    EXPECT_THAT(lines_of(run_weir({"ls", "--kind", "array", "--names"}).out), ElementsAre("grid"));
    EXPECT_THAT(lines_of(run_weir({"ls", "--kind=channel", "--names"}).out), ElementsAre("jobs"));
    const command_result none = run_weir({"ls", "--kind", "session"});
    EXPECT_EQ(none.status, 1);
    EXPECT_THAT(none.out, IsEmpty());
    EXPECT_EQ(none.err, "weir: ls: no segment is a session (weir ls lists all)\n");
    const command_result wrong = run_weir({"ls", "--kind", "file"});
    EXPECT_EQ(wrong.status, 2);
    EXPECT_THAT(wrong.err, AllOf(HasSubstr("--kind"), HasSubstr("channel")));
  });
}

TEST(LsCommand, ListsWhatASessionHasMadeWhateverItIsCalled) {
  in_own_memory([] {
    killed_after([] {  // of another realm
      const auto other = channel<int>::create("other", 2);
      ::raise(SIGKILL);
    });
    session s;
    const auto jobs = channel<int>::create("jobs", 2);
    const std::string realm = s.realm();
    for (const std::string& given :
         {realm, '@' + realm, '@' + realm + ".session", "weir.@" + realm + ".session", realm.substr(0, 6) + '*'}) {
      const auto names = lines_of(run_weir({"ls", "--session", given, "--names"}).out);
      EXPECT_THAT(names, AllOf(Contains("jobs"), Contains('@' + realm + ".session"), Not(Contains("other")))) << given;
    }
    EXPECT_THAT(lines_of(run_weir({"ls", "--session", realm, "--kind", "channel", "j*", "--names"}).out),
                ElementsAre("jobs"));
    EXPECT_EQ(run_weir({"ls", "--session", "0123456789ab"}).status, 1);
    EXPECT_EQ(json::parse(run_weir({"ls", "--session", realm, "--kind", "session", "--json"}).out).size(), 1U);
  });
}

TEST(LsCommand, CountsADamagedSegmentToASessionByItsName) {
  in_own_memory([] {
    for (const char* name : {"@0123456789ab.inbox.2", "@ba9876543210.inbox.2", "0123456789ab"}) {
      std::ofstream(path_of(name)) << "hello";
    }
    EXPECT_THAT(lines_of(run_weir({"ls", "--session", "0123456789ab", "--names"}).out),
                ElementsAre("@0123456789ab.inbox.2"));
    EXPECT_EQ(run_weir({"ls", "--kind", "channel"}).status, 1);
  });
}

TEST(LsCommand, PrintsNamesAloneSafely) {
  in_own_memory([] {
    std::ofstream(path_of("evil\x1b[2J\n2")) << "hello";
    const auto jobs = channel<int>::create("my jobs", 2);
    EXPECT_EQ(run_weir({"ls", "--names"}).out, "evil\\x1b[2J\\x0a2\nmy jobs\n");
    EXPECT_EQ(run_weir({"ls", "--names", "--json"}).status, 2);
  });
}

using long_item = std::vector<std::vector<std::pair<std::string, std::vector<double>>>>;

TEST(LsCommand, CutsNothingWhereItDoesNotPrintToATerminal) {
  in_own_memory([] {
    const auto jobs = channel<long_item>::create("jobs", 2);
    const std::string type = json::parse(run_weir({"ls", "--json"}).out)[0]["type"];
    EXPECT_GT(type.size(), 60U);
    EXPECT_THAT(run_weir({"ls"}).out, AllOf(HasSubstr("  " + type + "  "), Not(HasSubstr("…"))));
    EXPECT_THAT(on_a_terminal_of(250, {"ls"}), ElementsAre(HasSubstr("RESERVED"), HasSubstr("  " + type + "  ")));
    EXPECT_THAT(on_a_terminal_of(0, {"ls"}),
                Contains(HasSubstr("  " + type + "  ")));  // it does not say how wide it is
  });
}

TEST(LsCommand, ShortensTypesThenReasonsToTheWidthOfTheTerminal) {
  in_own_memory([] {
    const auto jobs = channel<long_item>::create("jobs", 2);
    const auto at_100 = on_a_terminal_of(100, {"ls"});
    EXPECT_THAT(at_100,
                ElementsAre(AllOf(HasSubstr("TYPE"), HasSubstr("USED")), AllOf(HasSubstr("…"), HasSubstr("alive"))));
    for (const std::string& line : at_100) EXPECT_LE(width_of(line), 100U);
    EXPECT_EQ(width_of(at_100[1]), 100U);

    std::ofstream(path_of("broken")) << "hello";
    const auto at_80 = on_a_terminal_of(80, {"ls"});
    ASSERT_THAT(at_80, SizeIs(3));
    for (const std::string& line : at_80) EXPECT_LE(width_of(line), 80U) << line;
    EXPECT_THAT(at_80[1], AllOf(StartsWith("broken  "), HasSubstr("  corrupt: "), HasSubstr("…")));
    EXPECT_THAT(at_80[2], StartsWith("jobs  "));
  });
}

TEST(LsCommand, LeavesColumnsOutBeforeLinesGetTooLongAndNeverCutsNames) {
  in_own_memory([] {
    const std::string name = "a name of some length, as users give them";
    const auto jobs = channel<long_item>::create(name, 2);
    const auto at_80 = on_a_terminal_of(80, {"ls"});
    ASSERT_THAT(at_80, SizeIs(2));
    for (const std::string& line : at_80) EXPECT_LE(width_of(line), 80U) << line;
    EXPECT_THAT(at_80[0], AllOf(Not(HasSubstr("USED")), HasSubstr("RESERVED"), HasSubstr("STATE")));
    EXPECT_THAT(at_80[1], AllOf(StartsWith(name + "  "), testing::EndsWith("alive")));

    const auto longer = channel<int>::create(std::string(100, 'n'), 2);
    const auto too_long = on_a_terminal_of(80, {"ls"});  // it would not help to leave anything out
    ASSERT_THAT(too_long, SizeIs(3));
    EXPECT_THAT(too_long[0], AllOf(HasSubstr("USED"), HasSubstr("OWNER")));
    EXPECT_THAT(too_long[2], HasSubstr(std::string(100, 'n') + "  "));
  });
}

TEST(LsCommand, ListsAThousandSegmentsOfTheDead) {
  in_own_memory([] {
    constexpr std::size_t kMany = 1000;
    killed_after([] {
      std::vector<channel<int>> made;
      for (std::size_t i = 0; i < kMany; ++i) made.emplace_back(1);
      ::raise(SIGKILL);
    });
    const command_result result = run_weir({"ls"});
    EXPECT_EQ(result.status, 1);
    const auto lines = lines_of(result.out);
    ASSERT_THAT(lines, SizeIs(kMany + 1));
    EXPECT_THAT(std::vector<std::string>(lines.begin() + 1, lines.end()),
                Each(HasSubstr("stale: only dead processes")));
  });
}

}  // namespace
}  // namespace weir::tests
