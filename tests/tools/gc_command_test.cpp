// SPDX-License-Identifier: BSL-1.0
// `weir gc` as a person, or a script, runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/leftovers.hpp"
#include "tools/run_command.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

/// An unnamed channel of a process that was killed; returns its name.
std::string leave_unnamed() {
  const auto before = segments();
  killed_after([] {
    const channel<int> made(2);
    ::raise(SIGKILL);
  });
  for (const std::string& name : segments()) {
    if (std::find(before.begin(), before.end(), name) == before.end()) return name;
  }
  ADD_FAILURE() << "it left nothing";
  return {};
}

TEST(GcCommand, RemovesAndSaysWhatAndWhy) {
  in_own_memory([] {
    const channel<int> alive(1);
    const std::string name = leave_unnamed();
    const command_result result = run_weir({"gc"});
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.err, IsEmpty());
    EXPECT_THAT(result.out, StartsWith("DONE     NAME"));
    EXPECT_THAT(result.out, HasSubstr("removed  " + name + "  channel  28.0 KiB"));
    EXPECT_THAT(result.out, HasSubstr("only dead processes are attached: pid "));
    EXPECT_THAT(result.out, testing::EndsWith("\n1 segment removed, 28.0 KiB freed\n"));
    EXPECT_THAT(segments(), ElementsAre(alive.name()));
    EXPECT_EQ(run_weir({"gc"}).out, "0 segments removed, 0 B freed\n");
  });
}

TEST(GcCommand, DryRunSaysTheSameAndLeavesIt) {
  in_own_memory([] {
    const std::string name = leave_unnamed();
    const command_result dry = run_weir({"gc", "--dry-run"});
    EXPECT_EQ(dry.status, 1);
    EXPECT_THAT(dry.out, HasSubstr("would remove  " + name));
    EXPECT_THAT(dry.out, testing::EndsWith("\nwould be: 1 segment removed, 28.0 KiB freed\n"));
    EXPECT_THAT(segments(), ElementsAre(name));
    EXPECT_EQ(run_weir({"gc"}).status, 0);
    EXPECT_EQ(run_weir({"gc", "--dry-run"}).status, 0);
  });
}

TEST(GcCommand, ReleasesWhatTheDeadHoldInAChannelThatStays) {
  in_own_memory([] {
    killed_after([] {
      auto jobs = channel<int>::create("jobs", 2);
      jobs.put(1);
      ::raise(SIGKILL);
    });
    EXPECT_EQ(run_weir({"ls"}).status, 1);
    const command_result result = run_weir({"gc"});
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.out, AllOf(HasSubstr("released  jobs"), HasSubstr("dead processes are attached: pid ")));
    EXPECT_THAT(result.out, HasSubstr("0 segments removed, 0 B freed, 1 released"));
    EXPECT_EQ(run_weir({"ls"}).status, 0);
    EXPECT_EQ(channel<int>::open("jobs").take(), 1);
  });
}

TEST(GcCommand, TakesPatterns) {
  in_own_memory([] {
    const std::string first = leave_unnamed();
    const std::string second = leave_unnamed();
    const std::string third = leave_unnamed();
    EXPECT_EQ(run_weir({"gc", first, "weir." + second}).status, 0);
    EXPECT_THAT(segments(), ElementsAre(third));
    EXPECT_EQ(run_weir({"gc", "@*"}).status, 0);
    EXPECT_THAT(segments(), IsEmpty());
    const command_result none = run_weir({"gc", "nothing*"});
    EXPECT_EQ(none.status, 1);
    EXPECT_THAT(none.err, StartsWith("weir: gc: no segment's name matches"));
    EXPECT_EQ(run_weir({"gc"}).status, 0);
  });
}

TEST(GcCommand, KeepsAndTellsWhatItCannotDecide) {
  in_own_memory([] {
    std::ofstream(path_of("broken\x1b[2J")) << "hello";
    const command_result result = run_weir({"gc"});
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.out, HasSubstr("not known  broken\\x1b[2J  -"));
    EXPECT_THAT(result.out, HasSubstr("the file has 5 bytes, fewer than a header's"));
    EXPECT_THAT(result.out, testing::EndsWith(", 1 not known and kept\n"));
    EXPECT_THAT(segments(), SizeIs(1));
  });
}

TEST(GcCommand, PrintsJson) {
  in_own_memory([] {
    const channel<int> alive(1);
    const std::string name = leave_unnamed();
    std::ofstream(path_of("broken")) << "hello";
    for (const bool is_dry_run : {true, false}) {
      std::vector<std::string> arguments{"gc", "--json"};
      if (is_dry_run) arguments.emplace_back("--dry-run");
      const command_result result = run_weir(arguments);
      EXPECT_EQ(result.status, 1);
      const json said = json::parse(result.out);
      EXPECT_EQ(said["dry_run"], is_dry_run);
      EXPECT_EQ(said["removed"], 1);
      EXPECT_EQ(said["freed_bytes"], 28 * 1024);
      EXPECT_EQ(said["released"], 0);
      EXPECT_EQ(said["kept"], 1);
      ASSERT_EQ(said["segments"].size(), 2U);
      EXPECT_EQ(said["segments"][0]["name"], name);
      EXPECT_EQ(said["segments"][0]["action"], "remove");
      EXPECT_EQ(said["segments"][0]["kind"], "channel");
      EXPECT_EQ(said["segments"][0]["reserved_bytes"], 28 * 1024);
      EXPECT_GE(said["segments"][0]["age_s"], 0.0);
      EXPECT_EQ(said["segments"][0]["problem"], false);
      EXPECT_EQ(said["segments"][1]["name"], "broken");
      EXPECT_EQ(said["segments"][1]["action"], "keep");
      EXPECT_TRUE(said["segments"][1]["kind"].is_null());
      EXPECT_TRUE(said["segments"][1]["age_s"].is_null());
      EXPECT_EQ(said["segments"][1]["problem"], true);
    }
    EXPECT_THAT(segments(), testing::UnorderedElementsAre(alive.name(), "broken"));
  });
}

TEST(GcCommand, ExitsWith2OnAWrongCommandLine) {
  const command_result result = run_weir({"gc", "--force"});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, AllOf(StartsWith("weir: gc: "), HasSubstr("--force")));
  EXPECT_THAT(run_weir({"gc", "--help"}).out, AllOf(HasSubstr("--dry-run"), HasSubstr("--json"), HasSubstr("PATTERN")));
}

}  // namespace
}  // namespace weir::tests
