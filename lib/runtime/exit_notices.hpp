// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "weir/session.hpp"

namespace weir::runtime {

/// Calls users' functions with the ends of workers, on a thread of its own, so that they may start new ones.
class exit_notices {
 public:
  exit_notices() = default;
  exit_notices(const exit_notices&) = delete;
  exit_notices& operator=(const exit_notices&) = delete;
  /// After stop(), if anything was added.
  ~exit_notices() = default;

  void add_function(std::function<void(const worker_exit&)> f);
  /// Calls those functions that have been added so far.
  void announce(const worker_exit& exit);
  /// Waits until all that was announced has been dealt with.
  void stop() noexcept;

 private:
  void thread_main();

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<std::function<void(const worker_exit&)>> functions_;
  std::deque<worker_exit> exits_;
  std::thread thread_;
  bool stopping_ = false;
};

}  // namespace weir::runtime
