// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>

#include "support/child.hpp"

namespace weir::tests {

enum class proc_mount { own, outer };

/// This process's children get a pid namespace of their own, whose first one is its init. As root directly, else as
/// root of a user namespace of its own. False: errno says why not.
inline bool unshare_pids() {
  if (::geteuid() == 0) return ::unshare(CLONE_NEWPID | CLONE_NEWNS) == 0;
  const auto uid = std::to_string(::geteuid());
  if (::unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS) != 0) return false;
  std::ofstream("/proc/self/uid_map") << "0 " << uid << " 1";
  return true;
}

/// Mounts a /proc that shows the processes of this pid namespace, seen here only.
inline bool mount_own_proc() {
  // In a changed root "/" may be no mount point, but then /proc is one.
  const bool is_private = ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 ||
                          ::mount(nullptr, "/proc", nullptr, MS_PRIVATE, nullptr) == 0;
  return is_private && ::mount("proc", "/proc", "proc", 0, nullptr) == 0;
}

inline constexpr int kForbidden = 77;

/// Runs in the first process of a pid namespace, whose status it returns; kForbidden: the kernel allows none.
inline int run_in_own_pids(const std::function<int()>& run, proc_mount proc = proc_mount::own) {
  child outside([&] {
    if (!unshare_pids()) {
      std::fprintf(stderr, "no pid namespace: %s\n", std::strerror(errno));
      return errno == EPERM || errno == ENOSYS || errno == EINVAL || errno == ENOSPC ? kForbidden : 2;
    }
    child init([&] {
      if (proc == proc_mount::own && !mount_own_proc()) {
        std::fprintf(stderr, "no /proc of its own: %s\n", std::strerror(errno));
        return errno == EPERM ? kForbidden : 2;
      }
      return run();
    });
    const int status = init.wait();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 3;
  });
  const int status = outside.wait();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 3;
}

/// The same for a test's body; its failures are printed there and make the test fail here.
inline void in_own_pids(const std::function<void()>& run, proc_mount proc = proc_mount::own) {
  const int status = run_in_own_pids(
      [&] {
        run();
        return testing::Test::HasFailure() ? 1 : 0;
      },
      proc);
  if (status == kForbidden) GTEST_SKIP() << "the kernel allows no pid namespace here";
  EXPECT_EQ(status, 0);
}

}  // namespace weir::tests
