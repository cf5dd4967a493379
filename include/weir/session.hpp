// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/detail/call.hpp"
#include "weir/detail/spmd_call.hpp"
#include "weir/error.hpp"
#include "weir/future.hpp"
#include "weir/session_options.hpp"
#include "weir/worker.hpp"
#include "weir/worker_options.hpp"

namespace weir {

/// The end of a worker.
struct worker_exit {
  process_id id = 0;
  exit_report report;
  bool expected = false;  ///< the session, or remove_workers, asked for it
};

/// The control process with its workers and everything they share. A program makes one, where its work begins.
///
/// In a worker, which is the same program started once more, the constructor serves calls and does not return: nothing
/// after it runs there. What the program does before it, it does in every worker too; a program that makes its session
/// late calls serve_if_worker() first thing in main().
///
/// Waiting   add_workers waits until its workers are ready, remove_workers until they have ended, everywhere until all
///           have returned; the destructor for calls already sent, at most session_options::exit_grace.
/// Threads   any member, any thread of the control process, concurrently, until the destructor begins.
/// Crash     a worker that dies takes only itself: see worker, future. If the control process dies, its workers end and
///           the session's segments go, within two seconds.
/// Fork      the child has no session: its copy of this object throws not_in_session, and its end does nothing.
class session {
 public:
  /// Throws already_exists if this process has a session, no_space.
  explicit session(session_options options = {});
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  /// Ends the workers, then removes what the session has made in shared memory, but for unnamed objects to which some
  /// process still has a handle.
  ~session();

  /// Starts `count` workers, all at once. Throws, and ends those it has started: worker_died (one ended, or could not be
  /// started), timed_out, no_space, invalid_argument (too many, or concurrency 0).
  std::vector<weir::worker> add_workers(std::size_t count, const worker_options& options = {});
  /// Lets them finish the calls they have been sent, then ends them. Those that have gone already are no error.
  /// Throws invalid_argument for the control process.
  void remove_workers(std::span<const weir::worker> which);
  void remove_workers(std::initializer_list<weir::worker> which) {
    remove_workers(std::span(which.begin(), which.size()));
  }
  void remove_workers(const weir::worker& which) { remove_workers(std::span(&which, 1)); }

  /// Those that run, in the order of their numbers. Stale as soon as it is returned.
  [[nodiscard]] std::vector<weir::worker> workers() const;
  /// Throws not_found for a number that was never given.
  [[nodiscard]] weir::worker worker(process_id id) const;
  /// The running workers in turn. Throws not_found if there are none.
  [[nodiscard]] weir::worker any_worker();

  /// Calls f(arguments...) on all workers and, on the calling thread, here; returns when all have returned. Then throws
  /// the first error, in the order of the processes' numbers.
  template <class F, class... Args>
  void everywhere(F f, const Args&... arguments);

  /// Runs f(team, arguments...) on all workers at once, each a rank of one team, in the order of their numbers (without
  /// workers: here, a team of one); returns when all have returned, with their results in the order of the ranks. What can
  /// be called is as for worker::call; the first parameter is a weir::team&. Then throws what the rank that failed first has
  /// thrown, as future::get() would, or worker_died.
  template <class F, class... Args>
  auto spmd(F f, const Args&... arguments) -> detail::spmd_results<F, Args...>;

  /// Calls `f` for each worker that ends from now on, on a thread of the session, one call at a time; what it throws is
  /// dropped. It may call the session.
  void on_worker_exit(std::function<void(const worker_exit&)> f);

  /// What the names of the session's segments begin with: 12 hexadecimal digits.
  [[nodiscard]] const std::string& realm() const noexcept;

 private:
  class implementation;
  std::unique_ptr<implementation> implementation_;
};

/// In a worker: serves calls and does not return. Elsewhere: nothing.
void serve_if_worker();

template <class F, class... Args>
auto session::spmd(F f, const Args&... arguments) -> detail::spmd_results<F, Args...> {
  std::vector<process_id> ids;
  for (const weir::worker& each : workers()) ids.push_back(each.id());
  return detail::run_spmd(f, std::move(ids), arguments...);
}

template <class F, class... Args>
void session::everywhere(F f, const Args&... arguments) {
  std::vector<std::exception_ptr> errors;  // in the order of the processes' numbers: this one is the first
  const auto keep_error = [&](std::size_t index, const auto& action) {
    try {
      action();
    } catch (...) {
      errors[index] = std::current_exception();
    }
  };
  const std::vector<weir::worker> all = workers();
  errors.resize(all.size() + 1);
  std::vector<future<detail::call_result<F, const Args&...>>> sent(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) keep_error(i + 1, [&] { sent[i] = all[i].call(f, arguments...); });
  keep_error(0, [&] { detail::call_here(f, arguments...); });
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (sent[i].valid()) keep_error(i + 1, [&] { sent[i].get(); });
  }
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace weir
