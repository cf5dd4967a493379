// SPDX-License-Identifier: BSL-1.0
// Private memory (RLIMIT_DATA) that ends: an error, never the end of the program. The address sanitizer counts its own
// memory among it, and ends a program that cannot have more: this test is not for programs built with it.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "faults/scenario.hpp"
#include "support/names.hpp"

namespace weir::tests {
namespace {

class DataLimit : public NamedSegments {
 protected:
  static void allow(rlim_t bytes) {
    rlimit limit{};
    ::getrlimit(RLIMIT_DATA, &limit);
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_DATA, &limit);
  }
};

TEST_F(DataLimit, IsAClearErrorOfASession) {
  const auto limit = [](int doublings) { allow(rlim_t{1} << (19 + doublings)); };
  EXPECT_GE(try_each_limit([] { use_session(); }, limit, [] { allow(RLIM_INFINITY); }), 2);
}

}  // namespace
}  // namespace weir::tests
