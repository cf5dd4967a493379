// SPDX-License-Identifier: BSL-1.0
// What happens when the shared memory is full: each test runs in a child with a small /dev/shm of its own.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "segment/segment.hpp"
#include "support/child.hpp"
#include "support/small_memory.hpp"
#include "weir/channel.hpp"
#include "weir/error.hpp"

namespace weir::tests {
namespace {

TEST(FullMemory, RefusesAnItemThatDoesNotFitAndDisturbsNothing) {
  with_memory_of("1m", [] {
    auto ch = channel<std::vector<double>>::create("full", 4);
    auto other = channel<int>::create("other", 4);
    other.put(7);
    ch.put(std::vector<double>(1000, 1.5));
    try {
      ch.put(std::vector<double>(1'000'000, 2.5));
      FAIL() << "8 MB went into 1 MiB";
    } catch (const no_space& e) {
      const std::string what = e.what();
      EXPECT_NE(what.find("shared memory is full: 7.6 MiB asked"), std::string::npos) << what;
      EXPECT_NE(what.find("free in /dev/shm"), std::string::npos) << what;
    }
    EXPECT_EQ(ch.size(), 1U);
    ch.put(std::vector<double>(2000, 3.5));  // what fits still goes in
    EXPECT_EQ(ch.take(), std::vector<double>(1000, 1.5));
    EXPECT_EQ(ch.take(), std::vector<double>(2000, 3.5));
    EXPECT_EQ(other.take(), 7);
  });
}

TEST(FullMemory, RefusesALoanThatDoesNotFit) {
  with_memory_of("1m", [] {
    channel<std::vector<char>> ch(2);
    EXPECT_THROW((void)ch.loan(4'000'000), no_space);
    auto small = ch.loan(1000);
    small[0] = 'x';
    ch.put(std::move(small));
    EXPECT_EQ(ch.take().front(), 'x');
  });
}

TEST(FullMemory, RefusesToCreateAndLeavesNothingBehind) {
  with_memory_of("64k", [] {
    EXPECT_THROW((void)channel<int>::create("large", 100'000), no_space);
    EXPECT_TRUE(shm::list_segments().empty());
    // Fill what is there, a channel at a time.
    std::vector<channel<int>> all;
    for (bool room = true; room;) {
      try {
        all.emplace_back(1);
      } catch (const no_space&) {
        room = false;
      }
    }
    for (auto& ch : all) {
      ch.put(3);
      EXPECT_EQ(ch.take(), 3);
    }
    EXPECT_EQ(shm::list_segments().size(), all.size());
  });
}

TEST(FullMemory, AWaitGoesOnWithoutMemoryForItsEntry) {
  with_memory_of("64k", [] {
    auto ch = channel<int>::create("waits", 1);
    std::vector<channel<int>> all;
    try {
      for (;;) all.emplace_back(1);
    } catch (const no_space&) {
      EXPECT_EQ(ch.take_for(std::chrono::milliseconds(50)), std::nullopt);
    }
    child putter([] {
      auto mine = channel<int>::open("waits");
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      mine.put(4);
      return 0;
    });
    EXPECT_EQ(ch.take(), 4);
    EXPECT_EQ(putter.wait(), 0);
  });
}

TEST(FullMemory, OfEverySizeGivesAnErrorAndNeverABusError) {
  for (std::size_t kib = 4; kib <= 1024; kib += kib < 128 ? 4 : 64) {
    with_memory_of(std::to_string(kib) + "k", [] {
      try {
        channel<std::string> ch(3);
        for (std::size_t bytes = 1; bytes < 4'000'000; bytes *= 3) {
          ch.put(std::string(bytes, 'a'));
          EXPECT_EQ(ch.take().size(), bytes);
        }
      } catch (const no_space&) {
        return;
      }
    });
  }
}

}  // namespace
}  // namespace weir::tests
