// SPDX-License-Identifier: BSL-1.0
// Distributed arrays for which there is no room. In a shared memory of its own, so that it may be filled.
#include <gtest/gtest.h>

#include <string>

#include "segment/segment.hpp"
#include "support/small_memory.hpp"
#include "weir/distributed_array.hpp"
#include "weir/session.hpp"

namespace weir::tests {
namespace {

using row = distributed_array<double>;

TEST(DistributedInFullMemory, ThrowsNoSpaceAndLeavesNothing) {
  with_memory_of("48m", [] {
    {
      session s;
      s.add_workers(2);
      EXPECT_THROW(static_cast<void>(row::zeros({16 << 20})), no_space);
      EXPECT_EQ(row::ones({1 << 20}).sum(), 1 << 20);  // there is room again
      const row d = row::ones({3 << 20});
      EXPECT_THROW(static_cast<void>(d.copy()), no_space);
      EXPECT_THROW(static_cast<void>(d.map([](double x) { return x; })), no_space);
      EXPECT_EQ(d.sum(), 3 << 20);
    }
    EXPECT_EQ(shm::list_segments(), std::vector<std::string>());
  });
}

}  // namespace
}  // namespace weir::tests
