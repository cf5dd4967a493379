// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string_view>

/// The subcommands of `weir`, a file each. All but gc, rm, restore and `trace --start` and `--stop` only read. They print
/// to stdout what there is, to stderr one line if it cannot be had, and return what the command exits with.
namespace weir::command {

inline constexpr int kFine = 0;
inline constexpr int kProblem = 1;  // something is corrupt or stale, or there is nothing of that name
inline constexpr int kUsage = 2;

/// Why a file was not written, further.
inline constexpr std::string_view kForceOverwrites = " (--force overwrites it)";

/// What the chosen subcommand does, once the command line has been read.
using action = std::function<int()>;

// Each adds its subcommand and options to `app`, and sets `chosen` when that subcommand is on the command line.
void add_completion(CLI::App& app, action& chosen);
void add_doctor(CLI::App& app, action& chosen);
void add_dump(CLI::App& app, action& chosen);
void add_export(CLI::App& app, action& chosen);
void add_gc(CLI::App& app, action& chosen);
void add_help(CLI::App& app, action& chosen);
void add_ls(CLI::App& app, action& chosen);
void add_pages(CLI::App& app, action& chosen);
void add_peek(CLI::App& app, action& chosen);
void add_ps(CLI::App& app, action& chosen);
void add_restore(CLI::App& app, action& chosen);
void add_rm(CLI::App& app, action& chosen);
void add_show(CLI::App& app, action& chosen);
void add_top(CLI::App& app, action& chosen);
void add_trace(CLI::App& app, action& chosen);
void add_why(CLI::App& app, action& chosen);

/// What add_…() ends with: `run` is given the options that were read.
template <class Options>
void on_parsed(CLI::App& subcommand, action& chosen, const std::shared_ptr<Options>& options,
               int (*run)(const Options&)) {
  subcommand.callback([&chosen, options, run] { chosen = [options, run] { return run(*options); }; });
}

}  // namespace weir::command
