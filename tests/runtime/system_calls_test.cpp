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

TEST(CallThatPrintsNothing, AsksOnceWhetherItDid) {
  const auto questions = [](long calls) {
    return system_calls_of(WEIR_CALLS " " + std::to_string(calls), "trace=epoll_wait,ioctl");
  };
  const long for_one = questions(1);
  ASSERT_GT(for_one, 0) << "is strace installed?";
  constexpr long kCalls = 2000;
  const long for_many = questions(kCalls);
  EXPECT_GE(for_many - for_one, kCalls - 1);
  EXPECT_LT(for_many - for_one, kCalls + kCalls / 10);
}

}  // namespace
}  // namespace weir::tests
