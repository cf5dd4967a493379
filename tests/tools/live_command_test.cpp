// SPDX-License-Identifier: BSL-1.0
// ps, top, why and doctor, as a person or a script runs them.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include "segment/segment.hpp"
#include "support/child.hpp"
#include "support/session.hpp"
#include "tools/run_command.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// What waits_for_ever does, in processes of its own.
class Deadlock : public testing::Test {
 protected:
  Deadlock() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    program_ = std::make_unique<child>([&] {
      ::dup2(ends[1], STDOUT_FILENO);
      ::execl(WEIR_WAITS_FOR_EVER, WEIR_WAITS_FOR_EVER, nullptr);
      return 126;
    });
    ::close(ends[1]);
    FILE* const out = ::fdopen(ends[0], "r");
    for (std::string* word : {&realm_, &a_, &b_}) {
      std::array<char, 256> line{};
      EXPECT_NE(std::fgets(line.data(), static_cast<int>(line.size()), out), nullptr);
      *word = line.data();
      word->pop_back();
    }
    std::fclose(out);
  }
  ~Deadlock() override {
    program_.reset();  // kills it: its workers see that, and leave nothing
    EXPECT_TRUE(comes_true([&] { return shm::list_segments('@' + realm_ + '.').empty(); }));
  }
  [[nodiscard]] command_result why_soon(const std::string& about) const {
    command_result result;
    EXPECT_TRUE(comes_true([&] {
      result = run_weir({"why", about});
      return result.status == 1 && result.out.find("deadlock: 3 threads") != std::string::npos;
    })) << result.out;
    return result;
  }

  std::unique_ptr<child> program_;
  std::string realm_;
  std::string a_;
  std::string b_;
};

TEST_F(Deadlock, IsNamedByWhyInWords) {
  const command_result result = why_soon(realm_);
  EXPECT_THAT(result.out, AllOf(HasSubstr("the control process"), HasSubstr("for worker 2 to answer a call"),
                                HasSubstr("to put into \"" + a_ + "\", which is full (1 of 1)"),
                                HasSubstr("to put into \"" + b_ + "\", which is full (1 of 1)"),
                                HasSubstr("in (anonymous namespace)::put_then_take"), HasSubstr("which waits itself")));
  EXPECT_THAT(result.err, IsEmpty());
  EXPECT_THAT(run_weir({"why", a_}).out, HasSubstr("deadlock: 3 threads"));
  EXPECT_THAT(run_weir({"why", std::to_string(program_->pid())}).out, HasSubstr("deadlock: 3 threads"));
  const json found = json::parse(run_weir({"why", realm_, "--json"}).out);
  ASSERT_EQ(found["deadlocks"].size(), 1U);
  EXPECT_EQ(found["deadlocks"][0]["threads"].size(), 3U);
  EXPECT_EQ(found["waits"].size(), 3U);
}

TEST_F(Deadlock, IsSeenInPsAndTop) {
  static_cast<void>(why_soon(realm_));
  const command_result ps = run_weir({"ps", "--session", realm_});
  EXPECT_EQ(ps.status, 0);
  EXPECT_THAT(ps.out, AllOf(HasSubstr("session " + realm_), HasSubstr("to put into \"" + a_ + "\"; in"),
                            HasSubstr("for worker 2 to answer a call")));
  const json found = json::parse(run_weir({"ps", realm_, "--json"}).out);
  ASSERT_EQ(found["sessions"].size(), 1U);
  const json& processes = found["sessions"][0]["processes"];
  ASSERT_EQ(processes.size(), 3U);
  EXPECT_EQ(processes[0]["waits"][0]["for"], "result");
  EXPECT_EQ(processes[1]["waits"][0]["for"], "room");
  EXPECT_EQ(processes[1]["waits"][0]["object"], a_);
  EXPECT_THAT(processes[1]["runs"][0]["function"].get<std::string>(), HasSubstr("put_then_take"));
  EXPECT_GT(processes[1]["resident_bytes"].get<std::uint64_t>(), 0U);

  const command_result top = run_weir({"top", "--once", "--interval", "0.1"});
  EXPECT_EQ(top.status, 0);
  EXPECT_THAT(top.out, AllOf(HasSubstr(a_), HasSubstr("[##########]"), HasSubstr("1 put ")));
  const json frame = json::parse(run_weir({"top", "-n", "1", "--interval", "0.1", "--json"}).out);
  const auto it = std::find_if(frame["channels"].begin(), frame["channels"].end(),
                               [&](const json& each) { return each["name"] == b_; });
  ASSERT_NE(it, frame["channels"].end());
  EXPECT_EQ((*it)["putters_waiting"], 1);
  EXPECT_EQ((*it)["items"], 1);
  EXPECT_EQ((*it)["puts_per_s"], 0);
}

using LiveCommand = SessionTest;

TEST_F(LiveCommand, PsShowsHowWorkersEnded) {
  const auto workers = start(2);
  workers[0].post([] { ::raise(SIGKILL); });
  EXPECT_TRUE(comes_true([&] { return !workers[0].is_alive(); }));
  EXPECT_TRUE(comes_true([&] {
    return run_weir({"ps", "--session", realm()}).out.find("killed by signal 9") != std::string::npos;
  }));
  const json found = json::parse(run_weir({"ps", "--session", realm(), "--json"}).out);
  EXPECT_EQ(found["sessions"][0]["processes"][1]["signal"], 9);
  EXPECT_THAT(run_weir({"ps", "--session", realm()}).out, HasSubstr("idle"));
}

TEST_F(LiveCommand, TopCountsPutsAndTakes) {
  channel<int> items(100);
  for (int i = 0; i < 40; ++i) items.put(i);
  for (int i = 0; i < 10; ++i) items.take();
  const json frame = json::parse(run_weir({"top", "--once", "--interval", "0.05", "--json", "--sort", "name"}).out);
  const auto it = std::find_if(frame["channels"].begin(), frame["channels"].end(),
                               [&](const json& each) { return each["name"] == items.name(); });
  ASSERT_NE(it, frame["channels"].end());
  EXPECT_EQ((*it)["puts"], 40);
  EXPECT_EQ((*it)["takes"], 10);
  EXPECT_EQ((*it)["items"], 30);
}

TEST(LiveCommands, OfWhatIsNotThereSaySoAndExitWith1) {
  const command_result ps = run_weir({"ps", "no-such-program"});
  EXPECT_EQ(ps.status, 1);
  EXPECT_THAT(ps.err, HasSubstr("no-such-program"));
  const command_result why = run_weir({"why", "no-such-channel"});
  EXPECT_EQ(why.status, 1);
  EXPECT_THAT(why.err, HasSubstr("no-such-channel"));
  EXPECT_EQ(run_weir({"top", "--interval", "0"}).status, 2);
  EXPECT_EQ(run_weir({"top", "--sort", "colour"}).status, 2);
}

TEST(LiveCommands, DoctorExamines) {
  const command_result text = run_weir({"doctor"});
  EXPECT_THAT(text.out,
              AllOf(HasSubstr("/dev/shm"), HasSubstr("ulimit"), HasSubstr("pidfd_open"), HasSubstr("problem")));
  const command_result result = run_weir({"doctor", "--json"});
  const json found = json::parse(result.out);
  EXPECT_EQ(result.status, found["problems"] == 0 ? 0 : 1);
  EXPECT_FALSE(found["findings"].empty());
}

TEST(LiveCommands, OnAnEmptySystemSaySo) {
  bool is_empty = false;
  const command_setting setting{.in_empty_memory = true, .has_empty_memory = &is_empty};
  const command_result ps = run_weir({"ps"}, setting);
  const command_result why = run_weir({"why"}, setting);
  const command_result top = run_weir({"top", "--once", "--interval", "0.05"}, setting);
  EXPECT_EQ(top.status, 0);
  if (!is_empty) return;  // this user has to share it with others, who may have segments
  EXPECT_EQ(ps.out, "no process uses weir\n");
  EXPECT_EQ(why.out, "nobody waits\n");
  EXPECT_THAT(top.out, HasSubstr("0 sessions, 0 processes, 0 channels, 0 arrays"));
}

}  // namespace
}  // namespace weir::tests
