// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <deque>
#include <exception>
#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "runtime/map_progress.hpp"
#include "runtime/peer.hpp"
#include "runtime/session_table.hpp"
#include "sync/futex.hpp"
#include "weir/detail/map_core.hpp"

// A map has one call at a time on each of its workers. The thread that called it sleeps on one word, the session's event
// of completions, until some call has been answered, or a worker has come or gone: what it costs to wait does not depend
// on how many workers there are.
namespace weir::runtime {

using batch = std::vector<detail::map_item>;

/// A worker that takes part in a map.
struct map_lane {
  explicit map_lane(detail::peer_handle worker) : to(std::move(worker)) {}
  detail::peer_handle to;
  batch items;                   // under way there
  detail::future_handle answer;  // null: it has nothing to do
  std::optional<death_watch> watch;
  bool is_dead = false;
};

/// A map while it runs. One thread.
class map_run {
 public:
  map_run(detail::map_job& job, const map_options& options);
  map_run(const map_run&) = delete;
  map_run& operator=(const map_run&) = delete;
  ~map_run() = default;
  void run();

 private:
  using clock = std::chrono::steady_clock;
  static constexpr std::size_t kNoIndex = std::numeric_limits<std::size_t>::max();

  [[nodiscard]] session_table& table() const noexcept { return self_->table(); }

  void find_own_workers();
  void join_workers();
  [[nodiscard]] bool may_join(process_id id) const;
  [[nodiscard]] bool may_one_come() const;
  void remember_death(process_id id);

  void send_to_idle();
  [[nodiscard]] batch next_batch_for(process_id id);
  [[nodiscard]] batch pull_batch();
  [[nodiscard]] bool has_more();
  bool send(map_lane& to, batch items);
  void run_here(batch items);
  void do_without_workers();

  bool take_answers();
  void take_answer(map_lane& from);
  void settle(batch& items, std::span<const std::exception_ptr> errors, process_id on);
  void fail(detail::map_item& item);
  void ask_handler(const detail::map_item& item);
  void done(const detail::map_item& item);
  void stop(std::size_t index, std::exception_ptr error) noexcept;

  void sleep();
  [[nodiscard]] bool is_some_settled(bool look_for_dead);

  std::shared_ptr<member> self_;
  detail::map_job& job_;
  const map_options& options_;
  detail::call_target target_;
  progress_report report_;

  std::vector<process_id> own_;  // if the workers were named
  std::list<map_lane> lanes_;
  std::uint32_t workers_seen_ = 0;  // of the table's event of workers
  bool had_lanes_ = false;
  std::vector<process_id> dead_;  // the session may learn of it later
  process_id last_dead_ = 0;
  std::exception_ptr last_death_;

  std::deque<batch> again_;  // to be sent (once more)
  bool range_ended_ = false;
  std::size_t done_ = 0;
  std::size_t in_flight_ = 0;  // batches

  bool stopping_ = false;
  std::size_t error_index_ = kNoIndex;
  std::exception_ptr error_;
  clock::time_point next_look_ = clock::now() + sync::kLongestSleep;
};

}  // namespace weir::runtime
