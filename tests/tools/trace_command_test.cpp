// SPDX-License-Identifier: BSL-1.0
// `weir trace` as a person, or a script, runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "inspect/trace.hpp"
#include "support/leftovers.hpp"
#include "support/session.hpp"
#include "tools/run_command.hpp"
#include "trace/recorder.hpp"
#include "weir/weir.hpp"

namespace weir::tests {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

int add_one(int x) { return x + 1; }
void put_numbers(channel<int> to, int count) {
  for (int i = 0; i < count; ++i) to.put(i);
}

/// Puts and takes 100 items between processes, and calls.
void work(session& s) {
  const auto w = s.worker(2);
  channel<int> numbers(4);
  auto put = w.call(put_numbers, numbers, 100);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(numbers.take(), i);
  put.get();
  EXPECT_EQ(w.fetch(add_one, 1), 2);
}

/// In the trace event format: each event is whole, times are ordered, every flow has both ends, which lie in slices, and
/// slices of a thread lie in each other or apart. Returns how many flows there are.
std::size_t expect_valid(const json& trace) {
  struct slice {
    double begin, end;
  };
  std::map<std::pair<int, int>, std::vector<slice>> slices;
  std::map<int, json> begun;
  std::size_t flows = 0;
  double last = 0;
  for (const json& e : trace.at("traceEvents")) {
    const std::string phase = e.at("ph");
    EXPECT_TRUE(e.at("pid").is_number() && e.at("tid").is_number() && e.at("name").is_string());
    if (phase == "M") continue;
    const double at = e.at("ts");
    EXPECT_GE(at, last);
    last = at;
    auto& of_thread = slices[{e.at("pid"), e.at("tid")}];
    if (phase == "X") {
      const double end = at + e.at("dur").get<double>();
      while (!of_thread.empty() && of_thread.back().end <= at + 1e-4) of_thread.pop_back();
      if (!of_thread.empty()) {
        EXPECT_LE(end, of_thread.back().end + 1e-3);
      }
      of_thread.push_back({at, end});
      continue;
    }
    EXPECT_FALSE(of_thread.empty());
    if (phase == "s") {
      EXPECT_TRUE(begun.emplace(e.at("id"), e).second);
    } else {
      EXPECT_EQ(phase, "f");
      EXPECT_EQ(e.at("bp"), "e");
      const auto from = begun.find(e.at("id"));
      EXPECT_NE(from, begun.end());
      if (from == begun.end()) continue;
      EXPECT_EQ(from->second.at("cat"), e.at("cat"));
      EXPECT_EQ(from->second.at("name"), e.at("name"));
      begun.erase(from);
      ++flows;
    }
  }
  EXPECT_THAT(begun, IsEmpty());
  return flows;
}

json read_json(const std::string& path) {
  std::ifstream in(path);
  return json::parse(in);
}

/// A path in a folder that is there.
std::string file_of(const char* name) { return testing::TempDir() + "weir_" + std::to_string(::getpid()) + name; }

TEST(TraceCommand, WritesAFileInWhichEveryFlowHasBothEnds) {
  in_own_memory([] {
    session s({.trace = true});
    s.add_workers(1);
    work(s);
    const std::string path = file_of(".json");
    const command_result result = run_weir({"trace", s.realm(), path});
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.err, IsEmpty());
    EXPECT_THAT(result.out, AllOf(StartsWith("PROCESS"), HasSubstr("102 arrows"), HasSubstr("written to ")));
    const json trace = read_json(path);
    EXPECT_EQ(expect_valid(trace), 102U);
    EXPECT_EQ(trace["otherData"]["realm"], s.realm());
    std::vector<std::string> names;
    for (const json& e : trace["traceEvents"]) names.push_back(e["name"]);
    EXPECT_THAT(names, Contains("call weir::tests::add_one"));
    EXPECT_THAT(names, Contains("weir::tests::put_numbers"));
    EXPECT_THAT(names, Contains(StartsWith("take @" + s.realm())));

    const command_result again = run_weir({"trace", s.realm(), path});
    EXPECT_EQ(again.status, 1);
    EXPECT_THAT(again.err, HasSubstr("--force"));
    EXPECT_EQ(run_weir({"trace", s.realm(), path, "--force"}).status, 0);
    const command_result to_stdout = run_weir({"trace", '@' + s.realm() + ".session", "-"});
    EXPECT_EQ(to_stdout.status, 0);
    EXPECT_EQ(expect_valid(json::parse(to_stdout.out)), 102U);
    std::remove(path.c_str());
  });
}

TEST(TraceCommand, LeavesNoFileWhereItCannotWrite) {
  in_own_memory([] {
    session s({.trace = true});
    const command_result result = run_weir({"trace", s.realm(), "/nowhere/at/all.json"});
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.err,
                AllOf(StartsWith("weir: write trace \"/nowhere/at/all.json\": "), HasSubstr("No such file")));
  });
}

TEST(TraceCommand, SwitchesTracingOnAndOffInARunningSession) {
  in_own_memory([] {
    session s;
    s.add_workers(2);
    const command_result none = run_weir({"trace", s.realm()});
    EXPECT_EQ(none.status, 1);
    EXPECT_THAT(none.err, AllOf(HasSubstr("is not traced"), HasSubstr("--start")));
    EXPECT_EQ(run_weir({"trace", "--start", s.realm()}).out, "session " + s.realm() + ": tracing is on\n");
    EXPECT_EQ(run_weir({"trace", "--start", s.realm()}).out, "session " + s.realm() + ": tracing was already on\n");
    work(s);
    const json looked = json::parse(run_weir({"trace", s.realm(), "--json"}).out);
    EXPECT_EQ(looked["flows"], 102);
    EXPECT_TRUE(looked["switched"].is_null());
    const command_result stopped = run_weir({"trace", "--stop", s.realm(), "--json"});
    EXPECT_EQ(stopped.status, 0);
    const json said = json::parse(stopped.out);
    EXPECT_EQ(said["switched"], "off");
    EXPECT_EQ(said["was_so_before"], false);
    EXPECT_THAT(said["late_processes"], IsEmpty());
    EXPECT_EQ(said["flows"], 102);
    EXPECT_EQ(said["processes"][0]["recording"], false);
    work(s);
    EXPECT_EQ(json::parse(run_weir({"trace", s.realm(), "--json"}).out)["flows"], 102);
  });
}

TEST(TraceCommand, SaysWhichProcessesHaveNotFollowed) {
  in_own_memory([] {
    session s;
    const auto w = s.add_workers(1).front();
    const int pid = w.fetch([] { return ::getpid(); });
    ::kill(pid, SIGSTOP);
    const command_result result = run_weir({"trace", "--start", s.realm()});
    ::kill(pid, SIGCONT);
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.out, HasSubstr("worker 2 has not followed yet"));
  });
}

TEST(TraceCommand, TellsTheLastMomentsOfADeadSession) {
  in_own_memory([] {
    killed_after([] {
      session s({.trace = true});
      s.add_workers(1);
      work(s);
      ::kill(s.worker(2).fetch([] { return ::getpid(); }), SIGKILL);
      channel<int>::create("jobs", 2).put(7);
    });
    const auto realms = inspect::find_realms("");
    ASSERT_THAT(realms, SizeIs(1));
    const command_result result = run_weir({"trace", realms.front().substr(0, 6), "-n", "5"});
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.out, AllOf(HasSubstr("dead"), HasSubstr("the last 5 events:"), HasSubstr("put: jobs #0")));
    const json said = json::parse(run_weir({"trace", realms.front(), "--json", "-n", "3"}).out);
    EXPECT_THAT(said["last_events"], SizeIs(3));
    EXPECT_EQ(said["processes"][0]["alive"], false);
    EXPECT_EQ(run_weir({"gc", "@*"}).status, 0);
    EXPECT_EQ(run_weir({"trace", realms.front()}).status, 1);
    channel<int>::remove("jobs");
  });
}

TEST(TraceCommand, ExitsWith1ForASessionThatIsNotThere) {
  in_own_memory([] {
    const command_result result = run_weir({"trace", "nothing\x1b[2J"});
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.err, AllOf(StartsWith("weir: trace: there is no session"), HasSubstr("nothing\\x1b[2J")));
  });
}

TEST(TraceCommand, ExitsWith2OnAWrongCommandLine) {
  EXPECT_EQ(run_weir({"trace"}).status, 2);
  EXPECT_EQ(run_weir({"trace", "--start", "--stop", "x"}).status, 2);
  EXPECT_THAT(run_weir({"trace", "--help"}).out, AllOf(HasSubstr("--start"), HasSubstr("SESSION"), HasSubstr("FILE")));
}

}  // namespace
}  // namespace weir::tests
