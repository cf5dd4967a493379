// SPDX-License-Identifier: BSL-1.0
// What a call costs in system calls.
#include <gtest/gtest.h>

#include <string>

#include "support/strace.hpp"

namespace weir::tests {
namespace {

TEST(CallThatPrintsNothing, MasksNoSignals) {
  const auto masks = [](long calls) {
    return system_calls_of(WEIR_CALLS " " + std::to_string(calls), "trace=rt_sigprocmask");
  };
  const long for_one = masks(1);
  ASSERT_GT(for_one, 0) << "is strace installed?";
  constexpr long kCalls = 2000;
  EXPECT_LT(masks(kCalls), for_one + kCalls / 10);  // a thread more, now and then
}

}  // namespace
}  // namespace weir::tests
