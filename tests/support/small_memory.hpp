// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <string>

#include "support/child.hpp"

namespace weir::tests {

/// Gives this process a /dev/shm of its own. As root directly, else as root of a user namespace of its own.
inline bool enter_small_memory(const std::string& size) {
  if (::geteuid() != 0) {
    const auto uid = std::to_string(::geteuid());
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    std::ofstream("/proc/self/uid_map") << "0 " << uid << " 1";
  } else if (::unshare(CLONE_NEWNS) != 0) {
    return false;
  }
  // The mount is to be seen here only. In a changed root "/" may be no mount point, but then /dev/shm is one.
  const bool is_private = ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 ||
                          ::mount(nullptr, "/dev/shm", nullptr, MS_PRIVATE, nullptr) == 0;
  if (!is_private) return false;
  return ::mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, ("size=" + size).c_str()) == 0;
}

/// Runs in a child; its failures are printed there and make its status 1.
inline void with_memory_of(const std::string& size, const std::function<void()>& run) {
  child with_mount([&] {
    if (!enter_small_memory(size)) return 2;
    run();
    return testing::Test::HasFailure() ? 1 : 0;
  });
  const int status = with_mount.wait();
  ASSERT_TRUE(WIFEXITED(status)) << "wait status " << status;
  ASSERT_NE(WEXITSTATUS(status), 2) << "no private mount could be made";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace weir::tests
