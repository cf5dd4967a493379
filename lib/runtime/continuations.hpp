// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "runtime/session_table.hpp"
#include "weir/detail/future_core.hpp"

namespace weir::runtime {

/// Watches futures, of any process, on one thread, which begins with the first and sleeps while there are none.
class continuations {
 public:
  explicit continuations(session_table& table) noexcept : table_(table) {}
  continuations(const continuations&) = delete;
  continuations& operator=(const continuations&) = delete;
  /// After stop(), if anything was added.
  ~continuations() = default;

  /// Calls `start` on the watching thread once all, or one, of the futures are settled (at once, if there are none).
  void add(std::vector<detail::future_handle> futures, detail::settled which, std::function<void()> start);
  /// Forgets what has not begun and ends the thread. What is added later is forgotten at once.
  void stop() noexcept;

 private:
  struct watched {
    detail::future_handle future;
    death_watch callee;
    bool settled = false;
  };
  struct item {
    std::vector<watched> futures;
    detail::settled which;
    std::function<void()> start;
  };
  void thread_main();
  /// Whether its action is to start; `look_for_dead`: callees that died unreported count too (that costs a look at /proc).
  static bool is_due(item& it, bool look_for_dead);

  session_table& table_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable added_;
  std::list<item> items_;
  std::thread thread_;
  bool stopping_ = false;
};

}  // namespace weir::runtime
