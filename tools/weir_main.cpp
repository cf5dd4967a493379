// SPDX-License-Identifier: BSL-1.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "segment/header_layout.hpp"
#include "weir_commands.hpp"
#include "weir_output.hpp"

namespace {

namespace cmd = weir::command;

int run(int argc, char** argv) {
  CLI::App app("Looks at weir's segments in shared memory, without disturbing the programs that use them.", "weir");
  app.require_subcommand(1);
  app.set_version_flag("--version", fmt::format("weir {} (layout {})", WEIR_VERSION, weir::shm::kLayout));
  app.footer("Exits with 0 if all is well, 1 if it found a problem, 2 if the command line is wrong.");

  cmd::ls_options ls;
  CLI::App* ls_command = app.add_subcommand("ls", "Lists the segments: what they hold, whose they are, if they live");
  ls_command->add_option("PATTERN", ls.pattern, "Only names that match it, with * and ? as in a shell");
  ls_command->add_flag("--json", ls.json, "Print JSON");

  cmd::show_options show;
  CLI::App* show_command = app.add_subcommand("show", "Shows one segment: state, counters, who waits, what is wrong");
  show_command->add_option("NAME", show.name, "Its name, with or without the leading `weir.`")->required();
  show_command->add_flag("--json", show.json, "Print JSON");
  show_command->add_flag("--slots", show.slots, "Show each slot and block of a channel");

  cmd::gc_options gc;
  CLI::App* gc_command = app.add_subcommand("gc", "Removes what only dead processes held, and nothing else");
  gc_command->add_option("PATTERN", gc.patterns, "Only names that match one of them, with * and ? as in a shell");
  gc_command->add_flag("--dry-run", gc.dry_run, "Only say what would be done");
  gc_command->add_flag("--json", gc.json, "Print JSON");

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);  // help or version, printed
  } catch (const CLI::ParseError& e) {
    const auto chosen = app.get_subcommands();
    const std::string command = chosen.empty() ? "" : ' ' + chosen.front()->get_name();
    const auto unknown = app.remaining();
    const std::string what = chosen.empty() && !unknown.empty()
                                 ? fmt::format("there is no subcommand or option \"{}\"", unknown.front())
                                 : std::string(e.what());
    fmt::print(stderr, "weir:{}{} {} (see weir{} --help)\n", command, command.empty() ? "" : ":", cmd::printable(what),
               command);
    return cmd::kUsage;
  }
  if (gc_command->parsed()) return cmd::run_gc(gc);
  return ls_command->parsed() ? cmd::run_ls(ls) : cmd::run_show(show);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int result = run(argc, argv);
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return result;
    fmt::print(stderr, "weir: the output could not be written\n");
  } catch (const std::exception& e) {
    fmt::print(stderr, "weir: {}\n", cmd::printable(e.what()));
  }
  return cmd::kProblem;
}
