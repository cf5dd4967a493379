// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "segment/segment.hpp"

namespace weir::tests {

/// A fixture whose segment names hold the pid and the test's name, and are removed before and after.
class NamedSegments : public testing::Test {
 protected:
  NamedSegments() {
    const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
    prefix_ = fmt::format("test-{}.{}", ::getpid(), test->name());
    std::replace(prefix_.begin(), prefix_.end(), '/', '.');  // of tests with parameters
    forget();
  }
  ~NamedSegments() override { forget(); }

  /// Name for the user-named object `word` of this test.
  [[nodiscard]] std::string name(const std::string& word = "it") const { return prefix_ + '.' + word; }
  [[nodiscard]] std::string path(const std::string& word = "it") const { return "/dev/shm/weir." + name(word); }

 private:
  void forget() const {
    for (const std::string& found : shm::list_segments(prefix_)) ::unlink(("/dev/shm/weir." + found).c_str());
  }
  std::string prefix_;
};

}  // namespace weir::tests
