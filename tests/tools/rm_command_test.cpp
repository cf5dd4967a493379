// SPDX-License-Identifier: BSL-1.0
// `weir rm` removes what it is told to, after asking.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "segment/segment.hpp"
#include "support/child.hpp"
#include "support/names.hpp"
#include "support/session.hpp"
#include "tools/run_command.hpp"
#include "weir/array.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class RmCommand : public NamedSegments {
 protected:
  [[nodiscard]] bool is_there(const std::string& word = "it") const { return !shm::list_segments(name(word)).empty(); }
};

TEST_F(RmCommand, AsksOnATerminalAndRemovesIfToldTo) {
  { auto channel = weir::channel<int>::create(name(), 3); }
  const command_result refused = run_weir({"rm", name()}, {.typed = "n\n"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("remove it? [y/N]"), HasSubstr("nothing was removed")));
  EXPECT_TRUE(is_there());
  EXPECT_EQ(run_weir({"rm", name()}, {.typed = "\n"}).status, 1);
  EXPECT_TRUE(is_there());
  const command_result removed = run_weir({"rm", name()}, {.typed = "y\n"});
  EXPECT_EQ(removed.status, 0) << removed.err;
  EXPECT_THAT(removed.out, AllOf(HasSubstr("to remove"), HasSubstr("nobody"), HasSubstr("1 segment removed")));
  EXPECT_FALSE(is_there());
}

TEST_F(RmCommand, DoesNothingWithoutATerminalUnlessToldTo) {
  { auto channel = weir::channel<int>::create(name(), 3); }
  const command_result result = run_weir({"rm", name()});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("--yes"));
  EXPECT_EQ(run_weir({"rm", name(), "--json"}, {.typed = "y\n"}).status, 2);
  EXPECT_TRUE(is_there());
  EXPECT_EQ(run_weir({"rm", name(), "--yes"}).status, 0);
  EXPECT_FALSE(is_there());
}

TEST_F(RmCommand, OnlySaysWhatItWouldDo) {
  { auto channel = weir::channel<int>::create(name(), 3); }
  const command_result result = run_weir({"rm", name(), "--dry-run"});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, AllOf(HasSubstr("would remove"), HasSubstr("would be: 1 segment removed")));
  EXPECT_TRUE(is_there());
}

TEST_F(RmCommand, TakesPatternsAndSaysWhatIsNotThere) {
  { auto a = weir::channel<int>::create(name("a1"), 3); }
  { const auto b = weir::array<int>::create(name("a2"), {3}); }
  { auto c = weir::channel<int>::create(name("b"), 3); }
  const command_result result = run_weir({"rm", name("a*"), name("a1"), name("none"), "-y"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("nothing has that name"));
  EXPECT_THAT(result.out, HasSubstr("2 segments removed"));
  EXPECT_FALSE(is_there("a1") || is_there("a2"));
  EXPECT_TRUE(is_there("b"));
}

TEST_F(RmCommand, SaysWhoHasItAndLeavesThemTheirs) {
  auto channel = weir::channel<int>::create(name(), 3);
  const auto grid = weir::array<int>::create(name("grid"), {3});
  const json said = json::parse(run_weir({"rm", name(), name("grid"), "--yes", "--json"}).out);
  ASSERT_EQ(said["segments"].size(), 2U);
  for (const json& each : said["segments"]) {
    EXPECT_EQ(each["users"], (json{::getpid()}));
    EXPECT_EQ(each["action"], "remove");
  }
  EXPECT_EQ(said["removed"], 2);
  EXPECT_FALSE(is_there());
  channel.put(5);
  EXPECT_EQ(channel.take(), 5);
  auto another = weir::channel<int>::create(name(), 3);
  EXPECT_THAT(run_weir({"rm", name(), "--dry-run"}).out, HasSubstr("pid " + std::to_string(::getpid())));
}

TEST_F(RmCommand, RemovesWhatIsCorruptHalfMadeOrStale) {
  { auto channel = weir::channel<int>::create(name("corrupt"), 3); }
  ASSERT_EQ(::truncate(path("corrupt").c_str(), 5000), 0);
  { const shm::unique_fd empty(::open(path("empty").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)); }
  ASSERT_EQ(::symlink("/nowhere", path("link").c_str()), 0);
  child victim([&] {
    auto channel = weir::channel<int>::create(name("stale"), 3);
    ::raise(SIGKILL);
    return 0;
  });
  victim.wait();
  const command_result result = run_weir({"rm", name("*"), "--yes"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("corrupt"), HasSubstr("stale"), HasSubstr("4 segments removed")));
  EXPECT_FALSE(is_there("corrupt") || is_there("empty") || is_there("stale") || is_there("link"));
}

TEST_F(RmCommand, KeepsWhatItCannotRemove) {
  std::filesystem::create_directory(path("folder"));
  const command_result result = run_weir({"rm", name("folder"), "--yes"});
  std::filesystem::remove(path("folder"));
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("weir: rm \""));
  EXPECT_THAT(result.out, AllOf(HasSubstr("kept"), HasSubstr("0 segments removed")));
}

class RmOfASession : public SessionTest {};

TEST_F(RmOfASession, LeavesALivingSessionsOwn) {
  weir::channel<int> unnamed(3);
  const command_result result = run_weir({"rm", "@" + realm() + ".*", "--yes"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("belongs to a session that lives"));
  EXPECT_THAT(result.out, AllOf(HasSubstr("kept"), Not(HasSubstr("removed  "))));
  const command_result forced = run_weir({"rm", unnamed.name(), "--yes", "--force"});
  EXPECT_EQ(forced.status, 0) << forced.err;
  EXPECT_THAT(forced.out, HasSubstr("1 segment removed"));
  unnamed.put(1);
  EXPECT_EQ(unnamed.take(), 1);
}

}  // namespace
}  // namespace weir::tests
