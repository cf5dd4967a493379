// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/results.hpp"
#include "runtime/session_table.hpp"
#include "weir/detail/channel_core.hpp"
#include "weir/ids.hpp"

namespace weir::runtime {

class executor;
class continuations;

/// How this process reaches another one of the session; made once for each, at the first call.
struct link {
  explicit link(process_id to) : id(to) {}
  const process_id id;
  std::atomic<bool> seen_dead{false};  // by is_alive(), perhaps before the session knows
  std::mutex mutex;                    // guards inbox
  detail::core_handle inbox;           // null until the first call
};

/// This process as a member of its session: what calls, futures and the executor share. It lives as long as any handle
/// that was made in the session, so that a future can be read after the session's end. Members may be called by any
/// thread.
class member : public std::enable_shared_from_this<member> {
 public:
  /// Makes this process's inbox and results. Throws no_space, already_exists.
  member(session_table table, process_id id);
  ~member();
  member(const member&) = delete;
  member& operator=(const member&) = delete;

  /// Null in a program without a session, before it begins, and after its end.
  static std::shared_ptr<member> current();
  /// Throws not_in_session in the words of `operation`.
  static std::shared_ptr<member> current_or_throw(const std::string& operation);
  static void set_current(std::shared_ptr<member> self);

  /// True in a child forked from the member: what it has is its parent's.
  [[nodiscard]] bool is_forked() const noexcept { return forked_.load(std::memory_order_relaxed); }
  static void leave_after_fork() noexcept;

  [[nodiscard]] process_id id() const noexcept { return id_; }
  [[nodiscard]] session_table& table() noexcept { return table_; }
  [[nodiscard]] own_results& results() noexcept { return results_; }
  [[nodiscard]] const detail::core_handle& inbox() const noexcept { return inbox_; }
  /// Set right after construction, before anybody calls.
  void set_executor(std::unique_ptr<executor> runner);
  [[nodiscard]] executor& runner() const noexcept { return *executor_; }
  [[nodiscard]] continuations& watcher() const noexcept { return *continuations_; }

  [[nodiscard]] std::shared_ptr<link> link_to(process_id id);
  /// Another process's results, or our own. Throws as results_segment::attach.
  [[nodiscard]] std::shared_ptr<results_segment> results_of(process_id id);
  /// Number for a message that needs a segment of its own.
  [[nodiscard]] std::uint64_t next_blob() noexcept { return ++blobs_; }

 private:
  void forget_the_gone();

  const process_id id_;
  session_table table_;
  own_results results_;
  detail::core_handle inbox_;
  std::unique_ptr<executor> executor_;
  std::unique_ptr<continuations> continuations_;
  std::atomic<std::uint64_t> blobs_{0};
  std::atomic<bool> forked_{false};
  std::mutex mutex_;  // guards what follows
  std::map<process_id, std::shared_ptr<link>> links_;
  std::map<process_id, std::shared_ptr<results_segment>> other_results_;
};

/// Name (without `weir.`) of a process's inbox.
[[nodiscard]] std::string inbox_name(process_id id);
/// What every inbox's items are.
[[nodiscard]] const detail::item_type& inbox_type();

}  // namespace weir::runtime
