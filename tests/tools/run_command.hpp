// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <vector>

namespace weir::tests {

struct command_result {
  int status = -1;  ///< exit status; -1: it was killed
  std::string out;
  std::string err;
};

struct command_setting {
  bool on_a_terminal = false;        ///< stdout is one; its output has \r\n for \n
  unsigned short columns = 0;        ///< of that terminal; 0: it does not say
  std::string typed{};               ///< if not empty stdin is a terminal, on which this is typed; else it is /dev/null
  bool no_color = false;             ///< NO_COLOR is set
  bool in_empty_memory = false;      ///< with a /dev/shm of its own, if this user may have that
  bool* has_empty_memory = nullptr;  ///< whether it had
};

/// Runs the command `weir`.
[[nodiscard]] command_result run_weir(const std::vector<std::string>& arguments, const command_setting& setting = {});

/// Runs any program, by its path.
[[nodiscard]] command_result run_program(const std::vector<std::string>& words, const command_setting& setting = {});

/// The lines of an output, without their ends, those of a terminal's lines included.
[[nodiscard]] std::vector<std::string> lines_of(const std::string& text);

}  // namespace weir::tests
