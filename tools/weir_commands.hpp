// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <vector>

/// The subcommands of `weir`, a file each. All but gc only read. They print to stdout what there is, to stderr one line
/// if it cannot be had, and return what the command exits with.
namespace weir::command {

inline constexpr int kFine = 0;
inline constexpr int kProblem = 1;  // something is corrupt or stale, or there is nothing of that name
inline constexpr int kUsage = 2;

struct ls_options {
  std::string pattern;
  bool json = false;
};
int run_ls(const ls_options& options);

struct show_options {
  std::string name;
  bool json = false;
  bool slots = false;
};
int run_show(const show_options& options);

struct gc_options {
  std::vector<std::string> patterns;  // none: all segments
  bool dry_run = false;
  bool json = false;
};
int run_gc(const gc_options& options);

}  // namespace weir::command
