// SPDX-License-Identifier: BSL-1.0
#include "runtime/executor.hpp"

#include <fmt/core.h>

#include <bit>
#include <chrono>
#include <cstdio>
#include <exception>
#include <thread>
#include <utility>

#include "runtime/call_layout.hpp"
#include "runtime/member.hpp"
#include "runtime/run_note.hpp"
#include "runtime/served_call.hpp"
#include "sync/blocking.hpp"
#include "weir/detail/crash_point.hpp"
#include "weir/error.hpp"

namespace weir::runtime {
namespace {

std::int64_t steady_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

void permits::acquire() {
  std::unique_lock lock(mutex_);
  if (free_ != 0 && first_ == nullptr) {
    --free_;
    return;
  }
  waiter me;
  (first_ == nullptr ? first_ : last_->next) = &me;
  last_ = &me;
  me.granted.wait(lock, [&] { return me.has_it; });
}

void permits::release() noexcept {
  const std::scoped_lock lock(mutex_);
  if (first_ == nullptr) {
    ++free_;
    return;
  }
  waiter& next = *first_;
  first_ = next.next;
  next.has_it = true;
  next.granted.notify_one();  // under the lock: it is gone as soon as it sees has_it
}

bool permits::any_free() const {
  const std::scoped_lock lock(mutex_);
  return free_ != 0 && first_ == nullptr;
}

thread_local executor::own_thread* executor::tl_thread = nullptr;

executor::executor(member& self, std::uint32_t concurrency, output_gate* gate)
    : self_(self),
      inbox_(self.inbox()),
      gate_(gate),
      concurrency_(concurrency),
      entry_(*self.table().find(self.id())),
      runs_(self.table().live(self.id())->runs),
      permits_(concurrency) {
  sync::set_blocking_hooks({&executor::before_sleep, &executor::after_sleep});
}

// ---------------------------------------------------------------------------------------------- calls that wait in weir

void executor::before_sleep() noexcept {
  own_thread* me = tl_thread;
  if (me == nullptr || !me->in_call || me->sleeps++ != 0) return;
  me->owner.entry_.waits.fetch_add(1, std::memory_order_relaxed);
  me->owner.entry_.waiting_calls.fetch_add(1, std::memory_order_relaxed);
  WEIR_CRASH_POINT("call.waiting");
  me->owner.permits_.release();
  if (me->is_listener) me->owner.pass_listening_on(*me);
}

void executor::after_sleep() noexcept {
  own_thread* me = tl_thread;
  if (me == nullptr || !me->in_call || --me->sleeps != 0) return;
  me->owner.permits_.acquire();
  me->owner.entry_.waiting_calls.fetch_sub(1, std::memory_order_relaxed);
  WEIR_CRASH_POINT("call.resumed");
}

// --------------------------------------------------------------------------------------------------------------- threads

bool executor::add_thread() noexcept {
  try {
    std::thread([this, keep = self_.shared_from_this()] { thread_main(/*may_retire=*/true); }).detach();
    ++threads_;
    return true;
  } catch (const std::exception&) {
    return false;  // no more threads, or memory, to be had
  }
}

bool executor::need_thread() noexcept {
  if (spare_ == 0) return add_thread();
  --spare_;
  ++woken_;
  spares_.notify_one();
  return true;
}

void executor::pass_listening_on(own_thread& me) noexcept {
  const std::scoped_lock lock(mutex_);
  me.is_listener = false;
  listening_ = false;
  need_thread();  // if there is none, the next call that returns finds that nobody listens, and does
}

void executor::end_listening() noexcept {
  const std::scoped_lock lock(mutex_);
  listening_ = false;
  closed_ = true;
  woken_ += std::exchange(spare_, 0);
  spares_.notify_all();
  progress_.notify_all();
}

void executor::start() {
  const std::scoped_lock lock(mutex_);
  if (!add_thread()) throw no_space("weir: start session: no thread can be started");
}

void executor::serve() {
  {
    const std::scoped_lock lock(mutex_);
    ++threads_;
  }
  thread_main(/*may_retire=*/false);
  const sync::idle_mark idle(self_.table().waits_of(self_.id()));
  std::unique_lock lock(mutex_);
  progress_.wait(lock, [&] { return is_done(); });
}

void executor::submit(std::function<void()> task) {
  const std::scoped_lock lock(mutex_);
  tasks_.push_back(std::move(task));
  if (need_thread()) return;
  tasks_.pop_back();
  throw no_space("weir: run what follows a future: no thread can be started");
}

void executor::stop() noexcept {
  try {
    detail::close(*inbox_, "the process is ending");
  } catch (const std::exception&) {
    // Its segment is damaged beyond use: nothing comes out of it either.
  }
}

bool executor::wait_until_done(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  return progress_.wait_until(lock, until, [&] { return is_done() && threads_ == 0; });
}

run_entry* executor::claim_run_entry() noexcept {
  std::uint32_t used = runs_in_use_.load(std::memory_order_relaxed);
  for (;;) {
    const int free = std::countr_one(used);
    if (free >= static_cast<int>(kRunEntries)) return nullptr;
    if (runs_in_use_.compare_exchange_weak(used, used | (1U << static_cast<unsigned>(free)),
                                           std::memory_order_acq_rel)) {
      return runs_ + free;
    }
  }
}

void executor::give_back(run_entry* entry) noexcept {
  if (entry != nullptr)
    runs_in_use_.fetch_and(~(1U << static_cast<unsigned>(entry - runs_)), std::memory_order_acq_rel);
}

void executor::thread_main(bool may_retire) {
  own_thread me{*this};
  me.noted_in = claim_run_entry();
  tl_thread = &me;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!tasks_.empty()) {
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      ++active_;
      lock.unlock();
      permits_.acquire();
      note_run(me.noted_in, {.caller = self_.id(), .slot = kNoSlot});
      run(me, task);
      lock.lock();
    } else if (closed_) {
      break;
    } else if (!listening_) {
      listening_ = true;
      me.is_listener = true;
      lock.unlock();
      listen(me);
      lock.lock();
    } else if (may_retire && spare_ >= kMostSpare) {
      break;
    } else {
      ++spare_;
      const sync::idle_mark idle(self_.table().waits_of(self_.id()));
      spares_.wait(lock, [&] { return woken_ != 0; });
      --woken_;
    }
  }
  give_back(me.noted_in);
  --threads_;
  progress_.notify_all();
  tl_thread = nullptr;
}

/// Runs a call or task that has been counted as active, with a permit that has been acquired.
template <class Work>
void executor::run(own_thread& me, const Work& work) {
  me.in_call = true;
  entry_.last_started_ns.store(steady_ns(), std::memory_order_relaxed);
  entry_.running_calls.fetch_add(1, std::memory_order_relaxed);
  WEIR_CRASH_POINT("call.running");
  work();
  note_run_over(me.noted_in);
  WEIR_CRASH_POINT("call.ending");
  entry_.running_calls.fetch_sub(1, std::memory_order_relaxed);
  WEIR_CRASH_POINT("call.ended");
  me.in_call = false;
  permits_.release();
  const std::scoped_lock lock(mutex_);
  --active_;
  if (active_ == 0 && told_to_end_) stop();
  if (closed_) progress_.notify_all();
}

void executor::listen(own_thread& me) {
  while (me.is_listener) {
    detail::taken_item message;
    try {
      static_cast<void>(detail::take(inbox_, message, detail::deadline::never()));
    } catch (const channel_closed&) {
      end_listening();
      return;
    } catch (const std::exception& e) {
      fmt::print(stderr, "weir: worker {}: no more calls can be received: {}\n", self_.id(), e.what());
      end_listening();
      return;
    }
    WEIR_CRASH_POINT("call.received");
    if (kind_of_message(message) == served::end) {
      const std::scoped_lock lock(mutex_);
      // Calls that have begun may need others to be served before they can end.
      told_to_end_ = true;
      if (active_ == 0) stop();
      continue;
    }
    {
      const std::scoped_lock lock(mutex_);
      ++active_;
    }
    entry_.calls_started.fetch_add(1, std::memory_order_relaxed);
    WEIR_CRASH_POINT("call.counted");
    permits_.acquire();
    if (concurrency_ > 1 && permits_.any_free()) pass_listening_on(me);
    run(me, [&] { serve_call(self_, std::move(message), gate_, me.noted_in); });
    entry_.calls_served.fetch_add(1, std::memory_order_relaxed);
    WEIR_CRASH_POINT("call.served");
  }
}

}  // namespace weir::runtime
