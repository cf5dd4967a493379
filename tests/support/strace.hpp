// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstdio>
#include <memory>
#include <string>

namespace weir::tests {

/// How many system calls a command makes, with all processes that it starts, as strace counts them; -1 if it counts none.
/// `which`: those that are counted, as strace's -e takes them.
inline long system_calls_of(const std::string& command, const std::string& which = "trace=all") {
  const std::string line_of_shell =
      "ASAN_OPTIONS=detect_leaks=0 strace -f -c -o /dev/stdout -e " + which + ' ' + command;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> output(::popen(line_of_shell.c_str(), "r"), ::pclose);
  std::array<char, 512> line{};
  while (std::fgets(line.data(), static_cast<int>(line.size()), output.get()) != nullptr) {
    const std::string text = line.data();
    if (text.find(" total") == std::string::npos) continue;
    double percent = 0;
    double seconds = 0;
    long microseconds = 0;
    long calls = 0;
    if (std::sscanf(text.c_str(), "%lf %lf %ld %ld", &percent, &seconds, &microseconds, &calls) == 4) return calls;
  }
  return -1;
}

}  // namespace weir::tests
