// SPDX-License-Identifier: BSL-1.0
// Too few file descriptors: with every number of them that is too small, and once there are enough again.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>

#include "faults/scenario.hpp"
#include "support/names.hpp"

namespace weir::tests {
namespace {

/// The process can open so many more files, and so can those that it starts.
void leave_descriptors(int count) {
  const int lowest = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(lowest);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = static_cast<rlim_t>(lowest + count);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}
void lift_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

class FewDescriptors : public NamedSegments {};

TEST_F(FewDescriptors, AreAClearErrorOfAChannel) {
  EXPECT_GE(try_each_limit([&] { use_channels(name()); }, leave_descriptors, lift_limit), 2);
}

TEST_F(FewDescriptors, AreAClearErrorOfASession) {
  EXPECT_GE(try_each_limit([] { use_session(); }, leave_descriptors, lift_limit), 10);
}

}  // namespace
}  // namespace weir::tests
