// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>

namespace weir::tests {
namespace {

/// System calls of one run, as strace counts them.
long system_calls_of(long pairs) {
  const std::string command =
      "ASAN_OPTIONS=detect_leaks=0 strace -f -c -o /dev/stdout " WEIR_PUT_TAKE_PAIRS " " + std::to_string(pairs);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> output(::popen(command.c_str(), "r"), ::pclose);
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

TEST(FastPath, MakesNoSystemCall) {
  const long for_one = system_calls_of(1);
  ASSERT_GT(for_one, 0) << "is strace installed?";
  EXPECT_EQ(system_calls_of(1'000'000), for_one);
}

}  // namespace
}  // namespace weir::tests
