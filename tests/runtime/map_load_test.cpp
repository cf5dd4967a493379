// SPDX-License-Identifier: BSL-1.0
// A long map whose workers are killed at random, and replaced: every item is accounted for.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <iterator>
#include <random>
#include <thread>
#include <vector>

#include "support/session.hpp"
#include "weir/channel.hpp"
#include "weir/map_options.hpp"

namespace weir::tests {
namespace {

constexpr int kDeaths = 25;
constexpr int kManyTries = 1000;

class MapLoad : public SessionTest {};

/// An item, and where to write down that it is being run.
struct logged {
  long item = 0;
  channel<long> log;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(item, log);
  }
};

long run_logged(logged what) {
  what.log.put(what.item);
  const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(what.item % 7 * 100);
  while (std::chrono::steady_clock::now() < until) {
  }
  return 3 * what.item;
}

/// Items until it is told that there are enough.
class endless {
 public:
  endless(const std::atomic<bool>& enough, channel<long> log) : enough_(enough), log_(std::move(log)) {}
  class iterator {
   public:
    using value_type = logged;
    using difference_type = std::ptrdiff_t;
    explicit iterator(const endless& of) : of_(&of) {}
    logged operator*() const { return {item_, of_->log_}; }
    iterator& operator++() {
      ++item_;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t /*end*/) const { return of_->enough_.load(); }

   private:
    const endless* of_;
    long item_ = 0;
  };
  [[nodiscard]] iterator begin() const { return iterator(*this); }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

 private:
  const std::atomic<bool>& enough_;
  channel<long> log_;
};

TEST_F(MapLoad, EveryItemIsDoneAndRunAgainOnlyForADeath) {
  for (const std::size_t batch_size : {1U, 8U}) {
    SCOPED_TRACE(batch_size);
    start(3);
    channel<long> log(10'000);
    std::atomic<bool> enough{false};
    const std::jthread kills([&] {
      std::minstd_rand dice(static_cast<unsigned>(batch_size));
      for (int death = 0; death < kDeaths; ++death) {
        const auto all = session().workers();
        const worker victim = all[dice() % all.size()];
        const pid_t pid = victim.fetch([] { return ::getpid(); });
        std::this_thread::sleep_for(std::chrono::microseconds(dice() % 5000));  // so that they die anywhere
        ::kill(pid, SIGKILL);
        EXPECT_TRUE(comes_true([&] {  // known to the session, so that it is not chosen again
          const auto left = session().workers();
          return std::find(left.begin(), left.end(), victim) == left.end();
        }));
        start(1);
      }
      enough.store(true);
    });
    std::vector<int> runs;
    const auto read_log = [&] {
      while (const auto item = log.try_take()) {
        const auto index = static_cast<std::size_t>(*item);
        if (index >= runs.size()) runs.resize(index + 1);
        ++runs[index];
      }
    };
    map_options options{.batch_size = batch_size, .retries = kManyTries};
    options.on_progress = [&](std::size_t /*done*/, std::size_t /*total*/) { read_log(); };
    const std::vector<long> results = session().map(run_logged, endless(enough, log), options);
    read_log();

    ASSERT_EQ(runs.size(), results.size());
    std::size_t again = 0;
    for (std::size_t i = 0; i < results.size(); ++i) {
      ASSERT_EQ(results[i], 3 * static_cast<long>(i));
      ASSERT_GE(runs[i], 1) << "item " << i;
      again += static_cast<std::size_t>(runs[i]) - 1;
    }
    EXPECT_LE(again, kDeaths * batch_size);  // what a dead worker had in hand, and nothing else
    EXPECT_EQ(session().workers().size(), 3U);
    session().remove_workers(session().workers());
  }
}

}  // namespace
}  // namespace weir::tests
