// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "weir/globals.hpp"

namespace weir::tests {
namespace {

TEST(Globals, KeepValuesOfAnyCopyableType) {
  globals().set("vector", std::vector<int>{1, 2});
  globals().set("shared", std::make_shared<int>(5));
  globals().set("text", "in quotes");
  EXPECT_EQ(globals().get<std::vector<int>>("vector"), (std::vector<int>{1, 2}));
  EXPECT_EQ(*globals().get<std::shared_ptr<int>>("shared"), 5);
  EXPECT_EQ(globals().get<std::string>("text"), "in quotes");
  globals().set("text", 1.5);  // another type
  EXPECT_EQ(globals().get<double>("text"), 1.5);
  EXPECT_EQ(globals().names(), (std::vector<std::string>{"shared", "text", "vector"}));
  EXPECT_TRUE(globals().erase("vector"));
  EXPECT_FALSE(globals().erase("vector"));
  EXPECT_FALSE(globals().has("vector"));
}

TEST(Globals, ThatAreNotThereOrOfAnotherTypeSaySo) {
  try {
    static_cast<void>(globals().get<int>("nothing"));
    FAIL();
  } catch (const undefined_global& e) {
    EXPECT_STREQ(e.what(), "\"nothing\" is not defined on worker 1");
  }
  globals().set("n", 1);
  EXPECT_THROW(static_cast<void>(globals().get<long>("n")), type_mismatch);
}

TEST(Globals, MayBeUsedFromSeveralThreads) {
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      const std::string own = "thread " + std::to_string(t);
      for (int i = 0; i < 2'000; ++i) {
        globals().set("common", std::string(100, static_cast<char>('a' + t)));
        globals().set(own, i);
        const auto common = globals().get<std::string>("common");
        ASSERT_EQ(common, std::string(100, common.front()));
        ASSERT_EQ(globals().get<int>(own), i);
        globals().erase(own);
      }
    });
  }
}

}  // namespace
}  // namespace weir::tests
