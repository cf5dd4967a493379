// SPDX-License-Identifier: BSL-1.0
// The command `weir` as a person, or a script, runs it.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "inspect/channel_fixture.hpp"
#include "runtime/session_table.hpp"
#include "segment/names.hpp"
#include "support/child.hpp"
#include "tools/run_command.hpp"

namespace weir::tests {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  return {std::istream_iterator<std::string>(in), {}};
}

/// One line, for stderr.
void expect_error(const command_result& result, int status, const std::string& text) {
  EXPECT_EQ(result.status, status);
  EXPECT_THAT(lines_of(result.err), ElementsAre(AllOf(StartsWith("weir: "), HasSubstr(text))));
}

class Command : public InspectedChannel {
 protected:
  /// Leaves a channel behind whose only process was killed.
  void make_stale() const {
    child victim([this] {
      const auto channel = make(ints(), 2);
      ::raise(SIGKILL);
      return 0;
    });
    victim.wait();
  }
};

// ---- the command line

TEST_F(Command, SaysItsVersionAndTheLayoutItReads) {
  const command_result result = run_weir({"--version"});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, AllOf(StartsWith("weir "), testing::EndsWith(fmt::format(" (layout {})\n", shm::kLayout))));
}

TEST_F(Command, HelpsWithoutAskingWhatWith) {
  const command_result result = run_weir({"--help"});
  EXPECT_EQ(result.status, 0);
  for (const char* each :
       {"ls", "show", "peek", "ps", "top", "why", "doctor", "gc", "rm", "export", "dump", "restore", "trace"}) {
    EXPECT_THAT(result.out, HasSubstr(std::string("  ") + each + ' '));
  }
  EXPECT_THAT(run_weir({"ls", "--help"}).out, HasSubstr("PATTERN"));
  EXPECT_THAT(run_weir({"show", "--help"}).out, HasSubstr("--slots"));
}

TEST_F(Command, ExitsWith2OnAWrongCommandLineAndSaysWhatIsWrong) {
  expect_error(run_weir({}), 2, "subcommand is required");
  expect_error(run_weir({"frob"}), 2, "there is no subcommand or option \"frob\"");
  expect_error(run_weir({"--loud"}), 2, "\"--loud\"");
  expect_error(run_weir({"show"}), 2, "show: NAME is required");
  expect_error(run_weir({"ls", "a", "b"}), 2, "not expected: b");
  expect_error(run_weir({"show", "a", "--frob"}), 2, "--frob");
  EXPECT_THAT(run_weir({"frob"}).out, IsEmpty());
}

// ---- ls

TEST_F(Command, LsOfAnEmptySystemSaysSo) {
  bool is_empty = false;
  const command_result result = run_weir({"ls"}, {.in_empty_memory = true, .has_empty_memory = &is_empty});
  const json as_json = json::parse(run_weir({"ls", "--json"}, {.in_empty_memory = true}).out);
  if (is_empty) {
    EXPECT_EQ(result.out, "no weir segments\n");
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(as_json, json::array());
  } else {  // this user has to share it with others, who may have segments
    EXPECT_THAT(result.out, testing::AnyOf("no weir segments\n", StartsWith("NAME")));
    EXPECT_TRUE(as_json.is_array());
  }
}

TEST_F(Command, LsPrintsAlignedColumns) {
  const auto channel = make(strings(), 4);
  put_text(*channel, kLong);
  const command_result result = run_weir({"ls", name()});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.err, IsEmpty());
  const auto lines = lines_of(result.out);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(words_of(lines[0]),
              ElementsAre("NAME", "KIND", "TYPE", "ITEMS", "RESERVED", "USED", "OWNER", "AGE", "STATE"));
  for (const char* word : {"KIND", "TYPE", "OWNER", "STATE"}) {  // each begins a column
    const auto at = lines[0].find(word);
    EXPECT_EQ(lines[1].at(at - 1), ' ') << word;
    EXPECT_NE(lines[1].at(at), ' ') << word;
  }
  const auto words = words_of(lines[1]);
  EXPECT_EQ(words.at(0), name());
  EXPECT_EQ(words.at(1), "channel");
  EXPECT_EQ(words.at(2), "std::string");
  EXPECT_EQ(words.at(3), "1/4");
  EXPECT_EQ(words.back(), "alive");
}

TEST_F(Command, LsTakesAPatternAndSaysIfNothingMatches) {
  const auto channel = make(ints(), 1);
  for (const std::string& pattern : {name(), "weir." + name(), name("*"), name("i?")}) {
    EXPECT_EQ(lines_of(run_weir({"ls", pattern}).out).size(), 2U) << pattern;
  }
  expect_error(run_weir({"ls", name("none*")}), 1, "no segment has a name that matches");
  const command_result as_json = run_weir({"ls", name("none*"), "--json"});
  EXPECT_EQ(as_json.status, 1);
  EXPECT_EQ(json::parse(as_json.out), json::array());
}

TEST_F(Command, LsAsJsonHasAllThatTheColumnsHave) {
  const auto channel = make(ints(), 3);
  put_int(*channel, 1);
  const command_result result = run_weir({"ls", name(), "--json"});
  EXPECT_EQ(result.status, 0);
  const json all = json::parse(result.out);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0]["name"], name());
  EXPECT_EQ(all[0]["kind"], "channel");
  EXPECT_EQ(all[0]["type"], "int");
  EXPECT_EQ(all[0]["items"], 1);
  EXPECT_EQ(all[0]["capacity"], 3);
  EXPECT_EQ(all[0]["used_bytes"], sizeof(int));
  EXPECT_EQ(all[0]["uid"], ::geteuid());
  EXPECT_EQ(all[0]["state"], "alive");
  EXPECT_EQ(all[0]["creator"]["pid"], ::getpid());
  EXPECT_EQ(all[0]["creator"]["alive"], true);
  struct stat info {};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(all[0]["file_bytes"], info.st_size);
  EXPECT_EQ(all[0]["reserved_bytes"], info.st_blocks * 512);
}

TEST_F(Command, LsExitsWith1ForAStaleSegment) {
  make_stale();
  const command_result result = run_weir({"ls", name()});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, HasSubstr("stale: only dead processes hold it: pid "));
}

TEST_F(Command, LsExitsWith1ForACorruptSegmentAndListsTheOthers) {
  const auto channel = make(ints(), 2);
  const shm::unique_fd broken(::open(path("broken").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  const command_result result = run_weir({"ls", name("*")});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, HasSubstr("corrupt: the file has 0 bytes, fewer than a header's"));
  EXPECT_EQ(lines_of(result.out).size(), 3U);
  EXPECT_EQ(run_weir({"ls", name()}).status, 0);
}

TEST_F(Command, LsPrintsNothingThatATerminalWouldObey) {
  const std::string evil = name("evil") + "\x1b[2J\xff";
  const std::string at = "/dev/shm/weir." + evil;
  const shm::unique_fd broken(::open(at.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  const command_result result = run_weir({"ls", name("evil*")});
  EXPECT_THAT(result.out, AllOf(HasSubstr("\\x1b[2J\\xff"), Not(HasSubstr("\x1b"))));
  const json all = json::parse(run_weir({"ls", name("evil*"), "--json"}).out);
  EXPECT_EQ(all.size(), 1U);
}

TEST_F(Command, PaintsOnATerminalOnlyAndNotWithNoColor) {
  const auto channel = make(ints(), 2);
  EXPECT_THAT(run_weir({"ls", name()}).out, Not(HasSubstr("\x1b[")));
  EXPECT_THAT(run_weir({"ls", name()}, {.on_a_terminal = true}).out, HasSubstr("\x1b[32malive\x1b[0m"));
  EXPECT_THAT(run_weir({"ls", name()}, {.on_a_terminal = true, .no_color = true}).out, Not(HasSubstr("\x1b[")));
}

// ---- show

TEST_F(Command, ShowTellsAllOfAChannel) {
  const auto channel = make(strings(), 4);
  put_text(*channel, kLong);
  put_text(*channel, 5);
  for (const std::string& given : {name(), "weir." + name()}) {
    const command_result result = run_weir({"show", given});
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.err, IsEmpty());
    EXPECT_THAT(result.out, StartsWith(name() + "  channel of std::string  2 of 4 items  alive\n"));
    EXPECT_THAT(result.out, HasSubstr("4 of 1088 B: 2 empty, 2 full; head 0, tail 2"));
    EXPECT_THAT(result.out, HasSubstr("67 free, 1 held"));
    EXPECT_THAT(result.out, HasSubstr("lock       free"));
    EXPECT_THAT(result.out, HasSubstr(std::to_string(::getpid())));
    EXPECT_THAT(result.out, Not(HasSubstr("problems")));
    EXPECT_THAT(result.out, Not(HasSubstr("TICKET")));
  }
  const command_result with_slots = run_weir({"show", name(), "--slots"});
  EXPECT_THAT(with_slots.out, AllOf(HasSubstr("TICKET"), HasSubstr("full"), HasSubstr("blocks that were used")));
}

TEST_F(Command, ShowNamesThoseWhoWait) {
  const auto channel = make(ints(), 1);
  std::jthread taker([&] {
    int value = 0;
    (void)detail::take_fixed(*channel, &value, sizeof value, detail::deadline::never());
  });
  json waiters;
  while (waiters.empty()) waiters = json::parse(run_weir({"show", name(), "--json"}).out)["waiters"];
  put_int(*channel, 1);
  ASSERT_EQ(waiters.size(), 1U);
  EXPECT_EQ(waiters[0]["waits_for"], "item");
  EXPECT_EQ(waiters[0]["pid"], ::getpid());
  EXPECT_EQ(waiters[0]["alive"], true);
  EXPECT_TRUE(waiters[0]["until_s"].is_null());
  EXPECT_GE(waiters[0]["since_s"], 0.0);
}

TEST_F(Command, ShowAsJsonHasSlotsWhenAskedFor) {
  const auto channel = make(strings(), 2);
  put_text(*channel, kLong);
  EXPECT_FALSE(json::parse(run_weir({"show", name(), "--json"}).out).contains("slots"));
  const json shown = json::parse(run_weir({"show", name(), "--json", "--slots"}).out);
  ASSERT_EQ(shown["slots"].size(), 2U);
  EXPECT_EQ(shown["slots"][0]["phase"], "full");
  EXPECT_EQ(shown["slots"][0]["bytes"], kLong);
  EXPECT_EQ(shown["blocks"][shown["slots"][0]["block"].get<std::size_t>()]["phase"], "held");
  EXPECT_EQ(shown["problems"], json::array());
}

TEST_F(Command, ShowOfANameThatDoesNotExistIsAProblem) {
  expect_error(run_weir({"show", name()}), 1, "nothing has that name");
  expect_error(run_weir({"show", "weir." + name()}), 1, "show \"" + name() + "\": nothing has that name");
  expect_error(run_weir({"show", "../x", "--json"}), 1, "nothing has that name");
}

TEST_F(Command, ShowOfACorruptSegmentSaysWhatIsWrongWithIt) {
  make(ints(), 2).reset();
  ASSERT_EQ(::truncate(path().c_str(), 5000), 0);
  expect_error(run_weir({"show", name()}), 1, "corrupt: the file has 5000 bytes, its header says");
  const command_result as_json = run_weir({"show", name(), "--json"});
  EXPECT_EQ(as_json.status, 1);
  EXPECT_EQ(json::parse(as_json.out)["state"], "corrupt");
}

TEST_F(Command, ShowOfAChannelThatContradictsItselfListsTheProblems) {
  const auto channel = make(ints(), 2);
  overwrite_header(offsetof(channels::channel_header, pins), std::int32_t{-4});
  const command_result result = run_weir({"show", name()});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, HasSubstr("problems\n  pins: -4"));
}

TEST_F(Command, ShowOfASessionListsItsProcesses) {
  runtime::session_table table = runtime::session_table::create();
  const process_id worker = table.add_process(1);
  table.set_running(worker);
  table.set_gone(table.add_process(1), runtime::exit_kind::exited, 3);
  const std::string session = shm::own_name("session");
  const command_result result = run_weir({"show", session});
  const json shown = json::parse(run_weir({"show", session, "--json"}).out);
  table.remove();
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, AllOf(HasSubstr("running (control)"), HasSubstr("exit status 3")));
  ASSERT_EQ(shown["processes"].size(), 3U);
  EXPECT_EQ(shown["processes"][1]["id"], worker);
  EXPECT_EQ(shown["processes"][1]["state"], "running");
  EXPECT_EQ(shown["processes"][2]["exit_status"], 3);
}

TEST_F(Command, LeavesNoTraceInWhatItReads) {
  const auto channel = make(strings(), 4);
  put_text(*channel, kLong);
  const auto stamp = [&] {
    struct stat info {};
    EXPECT_EQ(::stat(path().c_str(), &info), 0);
    return std::array<long, 4>{info.st_blocks, info.st_atim.tv_nsec, info.st_mtim.tv_nsec, info.st_ctim.tv_nsec};
  };
  const auto before = stamp();
  EXPECT_EQ(run_weir({"ls", name()}).status, 0);
  EXPECT_EQ(run_weir({"show", name(), "--slots"}).status, 0);
  EXPECT_EQ(stamp(), before);
}

}  // namespace
}  // namespace weir::tests
