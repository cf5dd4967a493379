// SPDX-License-Identifier: BSL-1.0
// What a call costs in system calls.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "support/strace.hpp"

namespace weir::tests {
namespace {

constexpr long kCalls = 2000;

/// How many of these system calls kCalls calls make beyond those of the first one. Nothing: none can be counted.
std::optional<long> system_calls_of_calls(const std::string& which) {
  const auto count = [&](long calls) { return system_calls_of(WEIR_CALLS " " + std::to_string(calls), which); };
  const long for_one = count(1);
  if (for_one <= 0) return std::nullopt;
  return count(1 + kCalls) - for_one;
}

TEST(CallThatPrintsNothing, MasksNoSignals) {
  const auto masks = system_calls_of_calls("trace=rt_sigprocmask");
  ASSERT_TRUE(masks) << "is strace installed?";
  EXPECT_LT(*masks, kCalls / 10);  // a thread more, now and then
}

TEST(CallThatPrintsNothing, AsksOnceWhetherItDid) {
  const auto questions = system_calls_of_calls("trace=epoll_wait,ioctl");
  ASSERT_TRUE(questions) << "is strace installed?";
  EXPECT_GE(*questions, kCalls);
  EXPECT_LT(*questions, kCalls + kCalls / 10);
}

}  // namespace
}  // namespace weir::tests
