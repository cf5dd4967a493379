// SPDX-License-Identifier: BSL-1.0
#include "runtime/continuations.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <system_error>
#include <utility>

#include "runtime/future_core.hpp"
#include "sync/futex.hpp"
#include "sync/waits.hpp"
#include "weir/error.hpp"

namespace weir::runtime {

namespace {

constexpr std::chrono::milliseconds kTryAgainAfter{10};

}  // namespace

bool continuations::is_due(item& it, bool look_for_dead) {
  const auto is_settled = [look_for_dead](watched& each) {
    if (!each.settled) {
      each.settled = detail::is_settled(each.future) || (look_for_dead && each.callee.ended().has_value());
    }
    return each.settled;
  };
  if (it.which == detail::settled::any) return std::any_of(it.futures.begin(), it.futures.end(), is_settled);
  return std::all_of(it.futures.begin(), it.futures.end(), is_settled);
}

void continuations::add(std::vector<detail::future_handle> futures, detail::settled which,
                        std::function<void()> start) {
  item fresh{{}, which, std::move(start)};
  fresh.futures.reserve(futures.size());
  for (detail::future_handle& each : futures) {
    const death_watch callee(each->self().table(), each->callee());
    fresh.futures.push_back({std::move(each), callee});
  }
  const std::scoped_lock lock(mutex_);
  if (stopping_) return;
  try {
    if (!thread_.joinable()) thread_ = std::thread([this] { thread_main(); });
  } catch (const std::system_error& e) {
    throw no_space("weir: wait for futures: no thread can be started: " + e.code().message());
  }
  items_.push_back(std::move(fresh));
  added_.notify_one();
  table_.signal_completion();  // so that it looks again, if it sleeps on the others
}

void continuations::stop() noexcept {
  std::thread thread;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    thread = std::move(thread_);
    added_.notify_one();
    table_.signal_completion();
  }
  if (thread.joinable()) thread.join();
  std::list<item> forgotten;
  const std::scoped_lock lock(mutex_);
  forgotten.swap(items_);
}

void continuations::thread_main() {
  const sync::idle_mark idle;  // what it starts runs elsewhere, or at once
  auto next_look = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (items_.empty()) {
      added_.wait(lock);
      continue;
    }
    const std::uint32_t seen = table_.header().completions.prepare();
    const auto now = std::chrono::steady_clock::now();
    const bool look_for_dead = now >= next_look;
    if (look_for_dead) next_look = now + sync::kLongestSleep;
    std::list<item> due;
    for (auto it = items_.begin(); it != items_.end();) {
      const auto next = std::next(it);
      if (is_due(*it, look_for_dead)) due.splice(due.end(), items_, it);
      it = next;
    }
    lock.unlock();
    if (due.empty()) {
      table_.header().completions.sleep(seen, next_look);
    }
    for (auto it = due.begin(); it != due.end();) {
      try {
        it->start();
        it = due.erase(it);  // futures let go of results without the lock
      } catch (const std::exception&) {
        ++it;  // no thread or no memory for it
      }
    }
    if (!due.empty()) std::this_thread::sleep_for(kTryAgainAfter);
    lock.lock();
    items_.splice(items_.begin(), due);
  }
}

}  // namespace weir::runtime
