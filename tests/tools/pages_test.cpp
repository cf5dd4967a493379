// SPDX-License-Identifier: BSL-1.0
// Manual pages and completions, as man, bash and zsh see them.
#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "support/leftovers.hpp"
#include "tools/run_command.hpp"
#include "weir/weir.hpp"

namespace weir::tests {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

class Pages : public testing::Test {
 protected:
  Pages() {
    const command_result written = run_weir({"pages", root_, "--date", "2001-02-03"});
    EXPECT_EQ(written.status, 0) << written.err;
  }
  ~Pages() override { std::filesystem::remove_all(root_); }

  [[nodiscard]] std::string at(const std::string& path) const { return root_ / path; }
  [[nodiscard]] static std::vector<std::string> commands() {
    std::vector<std::string> names;
    const json all = json::parse(run_weir({"help", "--json"}).out);
    for (const json& each : all["commands"]) names.push_back(each["name"]);
    return names;
  }
  /// What the shell offers after `line`; sorted.
  [[nodiscard]] std::vector<std::string> in_bash(const std::string& line) const {
    return offered({"/bin/bash", WEIR_COMPLETE_IN_BASH, at("bash/weir"), WEIR_COMMAND, line});
  }
  [[nodiscard]] std::vector<std::string> in_zsh(const std::string& line) const {
    return offered({"/bin/zsh", WEIR_COMPLETE_IN_ZSH, at("zsh/_weir"), WEIR_COMMAND, line});
  }

 private:
  [[nodiscard]] static std::vector<std::string> offered(const std::vector<std::string>& command) {
    const command_result result = run_program(command);
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.err, IsEmpty());
    std::vector<std::string> words;
    std::istringstream in(result.out);
    for (std::string line; std::getline(in, line);) words.push_back(line);
    std::sort(words.begin(), words.end());
    return words;
  }
  std::filesystem::path root_ = std::filesystem::temp_directory_path() / ("weir-pages-" + std::to_string(::getpid()));
};

TEST_F(Pages, ManHasOneForEveryCommandAndFindsNothingWrongWithThem) {
  std::vector<std::string> names{"weir"};
  for (const std::string& each : commands()) names.push_back("weir-" + each);
  for (const std::string& name : names) {
    const std::string page = at("man1/" + name + ".1");
    const command_result linted = run_program({"/usr/bin/mandoc", "-T", "lint", "-W", "warning", page});
    EXPECT_EQ(linted.status, 0) << linted.out << linted.err;
    const command_result shown = run_program({"/usr/bin/man", "--warnings", "-l", page});
    EXPECT_EQ(shown.status, 0);
    EXPECT_THAT(shown.err, IsEmpty());
    EXPECT_THAT(shown.out, AllOf(HasSubstr("SYNOPSIS"), HasSubstr("EXIT STATUS"), HasSubstr("2001-02-03"))) << name;
  }
  const auto files = std::filesystem::directory_iterator(at("man1"));
  EXPECT_EQ(static_cast<std::size_t>(std::distance(begin(files), end(files))), names.size());
}

TEST_F(Pages, ManTellsAllThatHelpTells) {
  const std::string page = run_program({"/usr/bin/mandoc", "-T", "utf8", "-O", "width=500", at("man1/weir-ls.1")}).out;
  const json ls = json::parse(run_weir({"help", "ls", "--json"}).out)["commands"][0];
  const auto plain = [](std::string text) {  // without the overstriking that stands for bold and underlined
    for (auto at = text.find('\b'); at != std::string::npos; at = text.find('\b')) text.erase(at - 1, 2);
    return text;
  };
  for (const json& option : ls["options"]) {
    EXPECT_THAT(plain(page), HasSubstr(option["description"].get<std::string>()));
    EXPECT_THAT(plain(page), HasSubstr(option["names"][0].get<std::string>()));
  }
  for (const json& paragraph : ls["details"]) EXPECT_THAT(plain(page), HasSubstr(paragraph.get<std::string>()));
}

TEST_F(Pages, CompletionPrintsWhatIsInstalled) {
  EXPECT_EQ(run_weir({"completion", "bash"}).out, run_program({"/bin/cat", at("bash/weir")}).out);
  EXPECT_EQ(run_weir({"completion", "zsh"}).out, run_program({"/bin/cat", at("zsh/_weir")}).out);
  EXPECT_EQ(run_weir({"completion", "fish"}).status, 2);
}

TEST_F(Pages, BashCompletesCommandsAndOptions) {
  auto all = commands();
  std::sort(all.begin(), all.end());
  EXPECT_EQ(in_bash("weir "), all);
  EXPECT_EQ(in_bash("weir help "), all);
  EXPECT_THAT(in_bash("weir sho"), ElementsAre("show"));
  EXPECT_THAT(in_bash("weir --v"), ElementsAre("--version"));
  EXPECT_THAT(in_bash("weir ls --"), IsSupersetOf({"--json", "--kind", "--names", "--session"}));
  EXPECT_THAT(in_bash("weir ls --kind ses"), ElementsAre("session"));
  EXPECT_THAT(in_bash("weir ls --kind=ses"), ElementsAre("session"));
  EXPECT_THAT(in_bash("weir completion "), ElementsAre("bash", "zsh"));
  EXPECT_THAT(in_bash("weir nothing "), IsEmpty());
}

TEST_F(Pages, BashCompletesNamesOfSegmentsAndNeverRunsThem) {
  in_own_memory([this] {
    const auto jobs = channel<int>::create("jobs", 1);
    const auto spaced = channel<int>::create("my jobs", 1);
    const auto evil = channel<int>::create("evil$(touch weir-was-here)", 1);
    const auto grid = array<int>::create("grid", {1});
    const channel<int> unnamed(1);
    const auto all = in_bash("weir show ");
    EXPECT_THAT(all, IsSupersetOf(std::vector<std::string>{"jobs", "grid", "my\\ jobs", unnamed.name()}));
    EXPECT_THAT(all, Contains("evil\\$\\(touch\\ weir-was-here\\)"));
    EXPECT_FALSE(std::filesystem::exists("weir-was-here"));
    EXPECT_THAT(in_bash("weir show jo"), ElementsAre("jobs"));
    EXPECT_THAT(in_bash("weir ls --json gr"), ElementsAre("grid"));
    EXPECT_THAT(in_bash("weir ls --kind array gr"), ElementsAre("grid"));
    EXPECT_THAT(in_bash("weir gc jobs gr"), ElementsAre("grid"));
    EXPECT_THAT(in_bash("weir show jobs gr"), IsEmpty());  // it takes one
    // What follows the @ is all that readline replaces.
    EXPECT_THAT(in_bash("weir show " + unnamed.name().substr(0, 5)), ElementsAre(unnamed.name().substr(1)));
  });
}

TEST_F(Pages, BashCompletesSessions) {
  in_own_memory([this] {
    session s;
    EXPECT_THAT(in_bash("weir ls --session "), ElementsAre(s.realm()));
    EXPECT_THAT(in_bash("weir ls --session=" + s.realm().substr(0, 3)), ElementsAre(s.realm()));
  });
}

TEST_F(Pages, ZshCompletesCommandsOptionsAndNames) {
  in_own_memory([this] {
    session s;
    const auto jobs = channel<int>::create("jobs", 1);
    const auto evil = channel<int>::create("evil$(touch weir-was-here)", 1);
    const auto grid = array<int>::create("grid", {1});
    EXPECT_THAT(in_zsh("weir sho"), ElementsAre("show"));
    EXPECT_THAT(in_zsh("weir "), IsSupersetOf(commands()));
    EXPECT_THAT(in_zsh("weir show jo"), ElementsAre("jobs"));
    EXPECT_THAT(in_zsh("weir show "), IsSupersetOf({"jobs", "grid", "evil\\$\\(touch\\ weir-was-here\\)"}));
    EXPECT_FALSE(std::filesystem::exists("weir-was-here"));
    EXPECT_THAT(in_zsh("weir ls --ki"), Contains(HasSubstr("--kind")));
    EXPECT_THAT(in_zsh("weir ls --kind ses"), ElementsAre("session"));
    EXPECT_THAT(in_zsh("weir ls --session "), ElementsAre(s.realm()));
    EXPECT_THAT(in_zsh("weir ls gr"), ElementsAre("grid"));
  });
}

}  // namespace
}  // namespace weir::tests
