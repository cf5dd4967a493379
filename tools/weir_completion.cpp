// SPDX-License-Identifier: BSL-1.0
// `weir completion`, and what writes manual pages and completions when weir is built.
#include <fmt/core.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "weir_commands.hpp"
#include "weir_output.hpp"
#include "weir_pages.hpp"

namespace weir::command {
namespace {

struct completion_options {
  const CLI::App* app = nullptr;
  std::string shell;
};

int run_completion(const completion_options& options) {
  const command_page whole = page_of(*options.app);
  fmt::print("{}", options.shell == "bash" ? bash_completion(whole) : zsh_completion(whole));
  return kFine;
}

struct pages_options {
  const CLI::App* app = nullptr;
  std::string directory;
  std::string date;
};

bool write(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream out(path);
  out << text << std::flush;
  if (!out) fmt::print(stderr, "weir: pages: \"{}\" cannot be written\n", printable(path.string()));
  return static_cast<bool>(out);
}

int run_pages(const pages_options& options) {
  const std::filesystem::path root = options.directory;
  const command_page whole = page_of(*options.app);
  bool good = write(root / "man1" / "weir.1", manual_page(whole, whole, options.date));
  for (const command_page& each : whole.subcommands) {
    good = write(root / "man1" / fmt::format("weir-{}.1", each.name), manual_page(each, whole, options.date)) && good;
  }
  good = write(root / "bash" / "weir", bash_completion(whole)) && good;
  good = write(root / "zsh" / "_weir", zsh_completion(whole)) && good;
  return good ? kFine : kProblem;
}

}  // namespace

void add_completion(CLI::App& app, action& chosen) {
  const auto options = std::make_shared<completion_options>();
  options->app = &app;
  CLI::App* const self = app.add_subcommand("completion", "Prints what makes a shell complete weir's command lines");
  self->add_option("SHELL", options->shell, "The shell")->required()->check(CLI::IsMember({"bash", "zsh"}));
  self->footer(
      "It is installed with weir. To have it without that: in bash, eval \"$(weir completion bash)\"; for zsh, weir "
      "completion zsh > DIRECTORY/_weir, in a directory that is in its fpath.");
  on_parsed(*self, chosen, options, run_completion);
}

void add_pages(CLI::App& app, action& chosen) {
  const auto options = std::make_shared<pages_options>();
  options->app = &app;
  CLI::App* const self = app.add_subcommand("pages", "Writes the manual pages and completions into a directory");
  self->group("");  // hidden: for the build
  self->add_option("DIRECTORY", options->directory, "Where to")->required();
  self->add_option("--date", options->date, "The date that the pages show")->required();
  on_parsed(*self, chosen, options, run_pages);
}

}  // namespace weir::command
