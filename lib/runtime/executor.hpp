// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>

#include "runtime/session_layout.hpp"
#include "weir/detail/channel_core.hpp"

namespace weir::runtime {

class member;
class output_gate;

/// Permits to run, given in the order asked for.
class permits {
 public:
  explicit permits(std::uint32_t count) noexcept : free_(count) {}
  void acquire();
  void release() noexcept;
  [[nodiscard]] bool any_free() const;

 private:
  struct waiter {
    std::condition_variable granted;
    bool has_it = false;
    waiter* next = nullptr;
  };
  mutable std::mutex mutex_;  // guards what follows
  std::uint32_t free_;
  waiter* first_ = nullptr;  // those who wait, each on its own stack: waiting needs no memory
  waiter* last_ = nullptr;
};

/// Runs the calls that come into this process's inbox, and tasks of its own, at most `concurrency` at a time; one that
/// waits in weir lets the next one run.
///
/// At any time one thread, the listener, waits for the next message; it runs the call itself, so that a call passes
/// through no other thread. When the call waits (sync::blocking_hooks), or others may run beside it, another thread
/// takes the listening over. There are as many threads as calls are unfinished at a time, and few more.
///
///   spare --nobody listens--> listening --a message--> waiting for a permit --> running <--> asleep in weir, no permit
///   running --the call is over--> listening, or spare if another thread listens by then
class executor {
 public:
  /// `gate`: null in the control process, whose output nobody forwards. `self` must outlive this.
  executor(member& self, std::uint32_t concurrency, output_gate* gate);
  executor(const executor&) = delete;
  executor& operator=(const executor&) = delete;

  /// Serves on the calling thread too; returns when told to end (by a message, or stop()) and all calls have returned.
  void serve();
  /// Serves on threads of its own, which keep `self` alive.
  void start();
  /// Runs a task as a call is run. Throws no_space: there is no thread for it.
  void submit(std::function<void()> task);
  /// Closes the inbox. Calls and tasks that have come already run to their end.
  void stop() noexcept;
  /// False: some have not ended at the deadline.
  bool wait_until_done(std::chrono::steady_clock::time_point until);
  /// In a forked child, which has none of the threads.
  static void forget_thread() noexcept { tl_thread = nullptr; }

 private:
  static constexpr std::size_t kMostSpare = 4;

  /// A thread of the executor, as the hooks find it.
  struct own_thread {
    executor& owner;
    bool is_listener = false;
    bool in_call = false;
    int sleeps = 0;
    run_entry* noted_in = nullptr;  // what it runs; null: there are too many threads
  };
  static thread_local own_thread* tl_thread;
  static void before_sleep() noexcept;
  static void after_sleep() noexcept;

  run_entry* claim_run_entry() noexcept;
  void give_back(run_entry* entry) noexcept;
  void thread_main(bool may_retire);
  void listen(own_thread& me);
  template <class Work>
  void run(own_thread& me, const Work& work);
  void pass_listening_on(own_thread& me) noexcept;
  void end_listening() noexcept;
  bool need_thread() noexcept;                   // under mutex_; false: there is none to be had
  bool add_thread() noexcept;                    // under mutex_
  [[nodiscard]] bool is_done() const noexcept {  // under mutex_
    return closed_ && !listening_ && active_ == 0 && tasks_.empty();
  }

  member& self_;
  detail::core_handle inbox_;
  output_gate* gate_;
  const std::uint32_t concurrency_;
  process_entry& entry_;
  run_entry* const runs_;
  std::atomic<std::uint32_t> runs_in_use_{0};  // a bit for each
  permits permits_;

  std::mutex mutex_;                  // guards what follows
  std::condition_variable spares_;    // wakes spare threads
  std::condition_variable progress_;  // something may be done
  std::deque<std::function<void()>> tasks_;
  std::size_t threads_ = 0;
  std::size_t spare_ = 0;   // threads that wait on spares_ and have not been woken
  std::size_t woken_ = 0;   // threads that have been woken and have not seen it
  std::size_t active_ = 0;  // calls and tasks that have begun and not ended
  bool listening_ = false;
  bool told_to_end_ = false;  // close the inbox once nothing is active
  bool closed_ = false;       // nobody will listen again
};

}  // namespace weir::runtime
