// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
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

  /// Lives from just before a worker's end is known until it has been announced.
  class telling {
   public:
    telling() noexcept { begin_telling(); }
    telling(const telling&) = delete;
    telling& operator=(const telling&) = delete;
    ~telling() { end_telling(); }
  };
  /// Whether some function may still have to be called with an end that is known, and start a worker; not this one, if
  /// the calling thread is in one.
  [[nodiscard]] static bool is_one_being_told() noexcept {
    return !in_function && being_told.load(std::memory_order_seq_cst) != 0;
  }

 private:
  void thread_main();
  static void begin_telling() noexcept { being_told.fetch_add(1, std::memory_order_seq_cst); }
  static void end_telling() noexcept { being_told.fetch_sub(1, std::memory_order_seq_cst); }

  static inline std::atomic<int> being_told{0};
  static inline thread_local bool in_function = false;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<std::function<void(const worker_exit&)>> functions_;
  std::deque<worker_exit> exits_;
  std::thread thread_;
  bool stopping_ = false;
};

}  // namespace weir::runtime
