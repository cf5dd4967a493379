// SPDX-License-Identifier: BSL-1.0
// How the command explains itself, and what it says of a wrong word.
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "tools/run_command.hpp"

namespace weir::tests {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

TEST(Help, IsTheSameHoweverItIsAskedFor) {
  EXPECT_EQ(run_weir({"help"}).out, run_weir({"--help"}).out);
  EXPECT_EQ(run_weir({"help", "ls"}).out, run_weir({"ls", "--help"}).out);
  EXPECT_EQ(run_weir({"help", "ls"}).out, run_weir({"ls", "-h"}).out);
  EXPECT_EQ(run_weir({"help"}).status, 0);
}

TEST(Help, TellsOfEveryCommandWhatItTakesAndWhatItExitsWith) {
  const json commands = json::parse(run_weir({"help", "--json"}).out)["commands"];
  ASSERT_GE(commands.size(), 5U);
  const std::string whole = run_weir({"--help"}).out;
  for (const json& each : commands) {
    const std::string name = each["name"];
    EXPECT_THAT(whole, HasSubstr("\n  " + name + " ")) << name;
    const command_result helped = run_weir({name, "--help"});
    EXPECT_EQ(helped.status, 0) << name;
    EXPECT_THAT(helped.out, AllOf(StartsWith("usage: weir " + name + " [OPTIONS]"), HasSubstr("Exits with 0"))) << name;
    for (const json& option : each["options"]) {
      for (const std::string word : option["names"]) EXPECT_THAT(helped.out, HasSubstr(word)) << name;
      EXPECT_NE(option["description"], "") << name;
    }
    for (const json& argument : each["arguments"]) {
      EXPECT_THAT(helped.out, HasSubstr(argument["names"][0].get<std::string>())) << name;
    }
  }
  EXPECT_THAT(whole, Not(HasSubstr("  pages")));  // for the build
}

TEST(Help, TellsNothingOfACommandThatTheManualDoesNot) {
  std::ifstream file(WEIR_COMMAND_MANUAL);
  const std::string manual((std::istreambuf_iterator<char>(file)), {});
  const json commands = json::parse(run_weir({"help", "--json"}).out)["commands"];
  for (const json& each : commands) EXPECT_THAT(manual, HasSubstr("`weir " + each["name"].get<std::string>() + '`'));
}

TEST(Help, FitsTheTerminal) {
  for (const unsigned short columns : std::array<unsigned short, 3>{40, 80, 200}) {
    for (const char* command : {"ls", "gc", "help"}) {
      std::istringstream lines(run_weir({"help", command}, {.on_a_terminal = true, .columns = columns}).out);
      for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(line.size(), std::min<std::size_t>(columns, 100) + 1) << line;  // and \r
      }
    }
  }
}

TEST(Help, OfAnUnknownCommandIsAWrongCommandLine) {
  const command_result result = run_weir({"help", "sl"});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_EQ(result.err, "weir: help: there is no command \"sl\", did you mean \"ls\"? (see weir --help)\n");
}

TEST(WrongWord, IsAnsweredWithTheNearestCommandOrOption) {
  EXPECT_EQ(run_weir({"shwo"}).err,
            "weir: there is no subcommand or option \"shwo\", did you mean \"show\"? (see weir --help)\n");
  EXPECT_THAT(run_weir({"comp"}).err, HasSubstr("did you mean \"completion\"?"));
  EXPECT_THAT(run_weir({"ls", "--jsno"}).err, HasSubstr("--jsno, did you mean \"--json\"? (see weir ls --help)"));
  EXPECT_THAT(run_weir({"--versoin"}).err, HasSubstr("did you mean \"--version\"?"));
  EXPECT_THAT(run_weir({"frobnicate"}).err, Not(HasSubstr("did you mean")));
  EXPECT_THAT(run_weir({"ls", "a", "b"}).err, Not(HasSubstr("did you mean")));
}

TEST(WrongWord, IsPrintedSafely) {
  EXPECT_THAT(run_weir({"help", "\x1b[2J"}).err, AllOf(HasSubstr("\\x1b[2J"), Not(HasSubstr("\x1b"))));
}

}  // namespace
}  // namespace weir::tests
