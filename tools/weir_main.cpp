// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "segment/header_layout.hpp"
#include "weir/error.hpp"
#include "weir_commands.hpp"
#include "weir_output.hpp"
#include "weir_pages.hpp"

namespace {

namespace cmd = weir::command;

int run(int argc, char** argv) {
  CLI::App app("Looks at weir's segments in shared memory, without disturbing the programs that use them", "weir");
  app.formatter(cmd::help_formatter());
  app.require_subcommand(1);
  app.set_version_flag("--version", fmt::format("weir {} (layout {})", WEIR_VERSION, weir::shm::kLayout));

  cmd::action chosen;
  cmd::add_ls(app, chosen);
  cmd::add_show(app, chosen);
  cmd::add_peek(app, chosen);
  cmd::add_ps(app, chosen);
  cmd::add_top(app, chosen);
  cmd::add_why(app, chosen);
  cmd::add_doctor(app, chosen);
  cmd::add_gc(app, chosen);
  cmd::add_rm(app, chosen);
  cmd::add_export(app, chosen);
  cmd::add_dump(app, chosen);
  cmd::add_restore(app, chosen);
  cmd::add_trace(app, chosen);
  cmd::add_completion(app, chosen);
  cmd::add_pages(app, chosen);
  cmd::add_help(app, chosen);
  app.footer(  // after the subcommands, which would take it over
      "Those that only look may be run at any time, also at what is damaged: they open segments to read them and for "
      "nothing else, take no lock, wake nobody and leave no trace. What they print may be out of date when it is "
      "read.");

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);  // help or version, printed
  } catch (const CLI::ParseError& e) {
    const auto subcommands = app.get_subcommands();
    const std::string command = subcommands.empty() ? "" : ' ' + subcommands.front()->get_name();
    const auto unknown = app.remaining(/*recurse=*/true);
    const std::string what = subcommands.empty() && !unknown.empty()
                                 ? fmt::format("there is no subcommand or option \"{}\"", unknown.front())
                                 : std::string(e.what());
    const cmd::command_page page = cmd::page_of(subcommands.empty() ? app : *subcommands.front());
    const std::string meant = unknown.empty() ? "" : cmd::suggestion(page, unknown.front());
    fmt::print(stderr, "weir:{}{} {}{} (see weir{} --help)\n", command, command.empty() ? "" : ":",
               cmd::printable(what), meant, command);
    return cmd::kUsage;
  }
  return chosen();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int result = run(argc, argv);
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return result;
    fmt::print(stderr, "weir: the output could not be written\n");
  } catch (const weir::error& e) {
    fmt::print(stderr, "{}\n", cmd::printable(e.what()));  // says who it is from
  } catch (const std::exception& e) {
    fmt::print(stderr, "weir: {}\n", cmd::printable(e.what()));
  }
  return cmd::kProblem;
}
