// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>

#include <string>

#include "support/strace.hpp"

namespace weir::tests {
namespace {

long system_calls_of_pairs(long pairs) { return system_calls_of(WEIR_PUT_TAKE_PAIRS " " + std::to_string(pairs)); }

TEST(FastPath, MakesNoSystemCall) {
  const long for_one = system_calls_of_pairs(1);
  ASSERT_GT(for_one, 0) << "is strace installed?";
  EXPECT_EQ(system_calls_of_pairs(1'000'000), for_one);
}

}  // namespace
}  // namespace weir::tests
