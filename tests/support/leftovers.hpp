// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "runtime/leftovers.hpp"
#include "segment/segment.hpp"
#include "support/child.hpp"
#include "support/small_memory.hpp"

/// For tests of what the dead have left. They run in a shared memory of their own, so that they may sweep all of it.
namespace weir::tests {

inline void in_own_memory(const std::function<void()>& run) { with_memory_of("256m", run); }

/// Runs it in a process that is killed at its end, or at the point it has planned; returns that process's pid.
inline pid_t killed_after(const std::function<void()>& run) {
  child victim([&] {
    run();
    ::raise(SIGKILL);
    return 0;
  });
  const pid_t pid = victim.pid();
  const int status = victim.wait();
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "status " << status;
  return pid;
}

inline std::vector<std::string> segments() { return shm::list_segments(); }
inline std::vector<runtime::leftover> sweep_all() { return runtime::sweep({}); }

/// What a sweep said of one segment; fails if it said nothing.
inline runtime::leftover of(const std::vector<runtime::leftover>& all, const std::string& name) {
  const auto at = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.name == name; });
  if (at != all.end()) return *at;
  ADD_FAILURE() << "nothing was said of " << name;
  return {};
}

/// Names of the segments that met this fate.
inline std::vector<std::string> names_of(const std::vector<runtime::leftover>& all, runtime::fate what) {
  std::vector<std::string> names;
  for (const auto& each : all) {
    if (each.what == what) names.push_back(each.name);
  }
  return names;
}

inline std::string path_of(const std::string& name) { return "/dev/shm/weir." + name; }

}  // namespace weir::tests
