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

  cmd::action chosen;
  cmd::add_ls(app, chosen);
  cmd::add_show(app, chosen);
  cmd::add_peek(app, chosen);
  cmd::add_gc(app, chosen);
  cmd::add_rm(app, chosen);
  cmd::add_export(app, chosen);
  cmd::add_dump(app, chosen);
  cmd::add_restore(app, chosen);

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);  // help or version, printed
  } catch (const CLI::ParseError& e) {
    const auto subcommands = app.get_subcommands();
    const std::string command = subcommands.empty() ? "" : ' ' + subcommands.front()->get_name();
    const auto unknown = app.remaining();
    const std::string what = subcommands.empty() && !unknown.empty()
                                 ? fmt::format("there is no subcommand or option \"{}\"", unknown.front())
                                 : std::string(e.what());
    fmt::print(stderr, "weir:{}{} {} (see weir{} --help)\n", command, command.empty() ? "" : ":", cmd::printable(what),
               command);
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
  } catch (const std::exception& e) {
    fmt::print(stderr, "weir: {}\n", cmd::printable(e.what()));
  }
  return cmd::kProblem;
}
