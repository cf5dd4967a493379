// SPDX-License-Identifier: BSL-1.0
#include "runtime/exit_notices.hpp"

#include <exception>
#include <system_error>
#include <utility>

#include "sync/waits.hpp"
#include "weir/error.hpp"

namespace weir::runtime {

void exit_notices::add_function(std::function<void(const worker_exit&)> f) {
  const std::scoped_lock lock(mutex_);
  try {
    if (!thread_.joinable()) thread_ = std::thread([this] { thread_main(); });
  } catch (const std::system_error& e) {
    throw no_space("weir: call a function when a worker ends: no thread can be started: " + e.code().message());
  }
  functions_.push_back(std::move(f));
}

void exit_notices::announce(const worker_exit& exit) {
  const std::scoped_lock lock(mutex_);
  if (functions_.empty()) return;
  exits_.push_back(exit);
  begin_telling();
  changed_.notify_one();
}

void exit_notices::stop() noexcept {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void exit_notices::thread_main() {
  in_function = true;
  std::unique_lock lock(mutex_);
  for (;;) {
    {
      const sync::idle_mark idle;
      changed_.wait(lock, [&] { return stopping_ || !exits_.empty(); });
    }
    if (exits_.empty()) return;
    const worker_exit exit = exits_.front();
    exits_.pop_front();
    const auto functions = functions_;
    lock.unlock();
    for (const auto& f : functions) {
      try {
        f(exit);
      } catch (const std::exception&) {
        // The user's function failed; the others are called all the same.
      }
    }
    end_telling();
    lock.lock();
  }
}

}  // namespace weir::runtime
