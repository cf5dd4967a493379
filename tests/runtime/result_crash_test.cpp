// SPDX-License-Identifier: BSL-1.0
// Workers killed at each point of storing a result.
#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

#include "support/crash.hpp"
#include "support/session.hpp"

namespace weir::tests {
namespace {

struct result_crash_case {
  const char* point;
  std::size_t result_bytes;
  bool is_delivered;  // the worker died after it had been
};

std::ostream& operator<<(std::ostream& out, const result_crash_case& c) {
  return out << c.point << ' ' << c.result_bytes;
}

class ResultCrash : public SessionTest, public testing::WithParamInterface<result_crash_case> {};

TEST_P(ResultCrash, LosesNothingButTheResultAtMost) {
  const result_crash_case& c = GetParam();
  // As often as there are blocks, so that one that was not set free again would be missed.
  constexpr int kTimes = 70;
  const auto answer = [](const std::string& point, std::size_t bytes) {
    if (!point.empty()) die_at(point);
    return std::string(bytes, 'a');
  };
  for (int i = 0; i < kTimes; ++i) {
    const auto w = start(1).front();
    const auto f = w.call(answer, c.point, c.result_bytes);
    if (c.is_delivered) {
      ASSERT_EQ(f.get(), std::string(c.result_bytes, 'a'));
    } else {
      try {
        f.get();
        FAIL();
      } catch (const worker_died& e) {
        ASSERT_EQ(e.signal(), SIGKILL);
      }
    }
  }
  const auto w = start(1).front();
  EXPECT_EQ(w.fetch(answer, "", c.result_bytes), std::string(c.result_bytes, 'a'));
  EXPECT_TRUE(comes_true([&] { return session().workers().size() == 1; }));
}

// A result over a block's 256 MiB would take a blob; so does one that finds no block free.
INSTANTIATE_TEST_SUITE_P(AtEachPoint, ResultCrash,
                         testing::Values(result_crash_case{"results.store.written", 10, false},
                                         result_crash_case{"results.store.published", 10, true},
                                         result_crash_case{"results.store.claimed", 5'000, false},
                                         result_crash_case{"results.store.written", 5'000, false},
                                         result_crash_case{"results.store.published", 5'000, true}));

class BlobCrash : public SessionTest {};

TEST_F(BlobCrash, LeavesNoSegmentBehind) {
  const auto w = start(1).front();
  const auto answer = [](const std::string& point) {
    if (!point.empty()) die_at(point);
    return std::string(5'000, 'a');
  };
  std::vector<future<std::string>> held;  // all blocks
  for (int i = 0; i < 64; ++i) held.push_back(w.call(answer, ""));
  for (const auto& each : held) each.wait();
  auto f = w.call(answer, "results.store.blob");
  EXPECT_THROW(f.get(), worker_died);
  EXPECT_EQ(shm::list_segments('@' + realm() + ".blob").size(), 1U);
  f = {};
  EXPECT_TRUE(shm::list_segments('@' + realm() + ".blob").empty());
}

}  // namespace
}  // namespace weir::tests
