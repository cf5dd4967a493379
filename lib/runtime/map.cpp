// SPDX-License-Identifier: BSL-1.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <limits>
#include <list>
#include <utility>

#include "runtime/exit_notices.hpp"
#include "runtime/future_core.hpp"
#include "runtime/map_progress.hpp"
#include "runtime/peer.hpp"
#include "runtime/session_table.hpp"
#include "sync/blocking.hpp"
#include "sync/futex.hpp"
#include "sync/patience.hpp"
#include "weir/detail/map_core.hpp"
#include "weir/error.hpp"

// A map has one call at a time on each of its workers. The thread that called it sleeps on one word, the session's event
// of completions, until some call has been answered, or a worker has come or gone: what it costs to wait does not depend
// on how many workers there are.
namespace weir::detail {
namespace {

using clock = std::chrono::steady_clock;
using batch = std::vector<map_item>;

constexpr std::size_t kNoIndex = std::numeric_limits<std::size_t>::max();

/// A worker that takes part.
struct lane {
  explicit lane(peer_handle worker) : to(std::move(worker)) {}
  peer_handle to;
  batch items;           // under way there
  future_handle answer;  // null: it has nothing to do
  std::optional<runtime::death_watch> watch;
  bool is_dead = false;
};

class map_run {
 public:
  map_run(map_job& job, const map_options& options)
      : self_(runtime::member::current_or_throw("map")),
        job_(job),
        options_(options),
        target_(job.target()),
        report_(options, job.total()) {
    find_own_workers();
  }
  void run();

 private:
  [[nodiscard]] runtime::session_table& table() const noexcept { return self_->table(); }

  void find_own_workers();
  void join_workers();
  [[nodiscard]] bool may_join(process_id id) const;
  [[nodiscard]] bool may_one_come() const;
  void remember_death(process_id id);

  void send_to_idle();
  [[nodiscard]] batch next_batch_for(process_id id);
  [[nodiscard]] batch pull_batch();
  [[nodiscard]] bool has_more();
  bool send(lane& to, batch items);
  void run_here(batch items);
  void do_without_workers();

  bool take_answers();
  void take_answer(lane& from);
  void settle(batch& items, std::span<const std::exception_ptr> errors, process_id on);
  void fail(map_item& item);
  void ask_handler(const map_item& item);
  void done(const map_item& item);
  void stop(std::size_t index, std::exception_ptr error) noexcept;

  void sleep();
  [[nodiscard]] bool is_some_settled(bool look_for_dead);

  std::shared_ptr<runtime::member> self_;
  map_job& job_;
  const map_options& options_;
  call_target target_;
  runtime::progress_report report_;

  std::vector<process_id> own_;  // if the workers were named
  std::list<lane> lanes_;
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

// -------------------------------------------------------------------------------------------------------------- workers

void map_run::find_own_workers() {
  for (const weir::worker& each : options_.workers) {
    if (each.id() == 0)
      throw invalid_argument("weir: map: a worker handle in map_options::workers refers to no process");
    if (std::find(own_.begin(), own_.end(), each.id()) == own_.end()) own_.push_back(each.id());
  }
}

bool map_run::may_join(process_id id) const {
  if (std::find(dead_.begin(), dead_.end(), id) != dead_.end()) return false;
  const runtime::process_entry* entry = table().find(id);
  return entry != nullptr && entry->state.load(std::memory_order_acquire) == runtime::worker_state::running &&
         entry->told_to_end.load(std::memory_order_relaxed) == 0;
}

/// Takes in workers that have come; those that have gone, or have been told to, leave as soon as they have nothing to do.
void map_run::join_workers() {
  const std::uint32_t now = table().header().workers.prepare();
  if (now == workers_seen_) return;
  workers_seen_ = now;
  const auto leaves = [&](const lane& each) { return !each.answer && !may_join(each.to->id()); };
  for (const lane& each : lanes_) {
    if (leaves(each)) last_dead_ = each.to->id();
  }
  lanes_.remove_if(leaves);
  const auto join = [&](process_id id) {
    const auto has_joined = [id](const lane& each) { return each.to->id() == id; };
    if (!may_join(id) || std::any_of(lanes_.begin(), lanes_.end(), has_joined)) return;
    lanes_.emplace_back(find_peer(id));
    had_lanes_ = true;
  };
  if (!own_.empty()) {
    std::for_each(own_.begin(), own_.end(), join);
  } else {
    const process_id end = table().header().next_id.load(std::memory_order_acquire);
    for (process_id id = kControlProcess + 1; id < end; ++id) join(id);
  }
}

/// A worker is being started that will join, or somebody may just decide to start one.
bool map_run::may_one_come() const {
  const auto is_known = [&](process_id id) { return table().is_gone(id); };
  if (!std::all_of(dead_.begin(), dead_.end(), is_known) || runtime::exit_notices::is_one_being_told()) return true;
  const process_id end = table().header().next_id.load(std::memory_order_acquire);
  for (process_id id = kControlProcess + 1; id < end; ++id) {
    const runtime::process_entry* entry = table().find(id);
    if (entry == nullptr || entry->state.load(std::memory_order_acquire) != runtime::worker_state::starting) continue;
    if (own_.empty() || std::find(own_.begin(), own_.end(), id) != own_.end()) return true;
  }
  return false;
}

/// Of the exception being handled: that of the worker's death.
void map_run::remember_death(process_id id) {
  last_dead_ = id;
  last_death_ = std::current_exception();
  dead_.push_back(id);
}

// ---------------------------------------------------------------------------------------------------------- sending

batch map_run::pull_batch() {
  batch items;
  while (!range_ended_ && items.size() < options_.batch_size) {
    std::optional<map_item> next = job_.pull();
    if (next) {
      items.push_back(std::move(*next));
    } else {
      range_ended_ = true;
    }
  }
  return items;
}

/// Whether there is something to send; what has been pulled to find out is kept.
bool map_run::has_more() {
  if (!again_.empty()) return true;
  batch items = pull_batch();
  if (items.empty()) return false;
  again_.push_back(std::move(items));
  return true;
}

/// First what is to be tried again, but not where it has just failed if there is another worker.
batch map_run::next_batch_for(process_id id) {
  const auto suits = [&](const batch& each) { return each.front().failed_on != id || lanes_.size() == 1; };
  const auto found = std::find_if(again_.begin(), again_.end(), suits);
  if (found == again_.end()) return pull_batch();
  batch items = std::move(*found);
  again_.erase(found);
  return items;
}

void map_run::send_to_idle() {
  for (auto it = lanes_.begin(); it != lanes_.end() && !stopping_;) {
    const auto here = it++;
    if (here->answer) continue;
    const process_id id = here->to->id();
    if (!may_join(id)) {
      last_dead_ = id;
      lanes_.erase(here);
      continue;
    }
    batch items = next_batch_for(id);
    if (!items.empty() && !send(*here, std::move(items))) lanes_.erase(here);
  }
}

/// False: the worker has gone; the items are to be sent to another.
bool map_run::send(lane& to, batch items) {
  try {
    encoder arguments;
    job_.encode(arguments, items);
    to.answer = send_call(to.to, target_, arguments);
    to.watch.emplace(table(), to.to->id());
    to.items = std::move(items);
    ++in_flight_;
  } catch (const worker_died&) {
    remember_death(to.to->id());
    again_.push_front(std::move(items));
    return false;
  } catch (...) {
    stop(items.front().index, std::current_exception());
  }
  return true;
}

void map_run::run_here(batch items) {
  std::vector<std::exception_ptr> errors(items.size());
  try {
    encoder arguments;
    job_.encode(arguments, items);
    try {
      const answer_here answer(target_, arguments);
      job_.store(items, answer.body(), self_->id(), errors);
    } catch (const std::exception&) {
      std::fill(errors.begin(), errors.end(), std::current_exception());
    }
  } catch (...) {
    return stop(items.front().index, std::current_exception());
  }
  settle(items, errors, self_->id());
}

/// No worker is left, or there never was one.
void map_run::do_without_workers() {
  batch items = std::move(again_.front());
  again_.pop_front();
  if (!had_lanes_ && own_.empty()) return run_here(std::move(items));
  if (!last_death_) {
    if (last_dead_ == 0) last_dead_ = own_.front();
    last_death_ = std::make_exception_ptr(runtime::make_worker_died("map", last_dead_, table().report_of(last_dead_)));
  }
  // One by one: the handler may start a worker.
  map_item item = std::move(items.front());
  items.erase(items.begin());
  if (!items.empty()) again_.push_front(std::move(items));
  if (!item.error) {
    item.error = last_death_;
    item.failed_on = last_dead_;
  }
  fail(item);
}

// --------------------------------------------------------------------------------------------------------- answers

/// False: none has come.
bool map_run::take_answers() {
  bool any = false;
  for (lane& each : lanes_) {
    if (!each.answer || !(each.is_dead || is_settled(each.answer))) continue;
    take_answer(each);
    any = true;
  }
  if (any) lanes_.remove_if([](const lane& each) { return each.is_dead; });
  return any;
}

void map_run::take_answer(lane& from) {
  batch items = std::exchange(from.items, {});
  std::vector<std::exception_ptr> errors(items.size());
  const process_id id = from.to->id();
  from.is_dead = false;
  try {
    const result_bytes answer(std::exchange(from.answer, nullptr));
    job_.store(items, answer.body(), id, errors);
  } catch (const worker_died&) {
    from.is_dead = true;
    remember_death(id);
    std::fill(errors.begin(), errors.end(), last_death_);
  } catch (...) {
    std::fill(errors.begin(), errors.end(), std::current_exception());
  }
  --in_flight_;
  settle(items, errors, id);
}

void map_run::settle(batch& items, std::span<const std::exception_ptr> errors, process_id on) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!errors[i]) {
      done(items[i]);
      continue;
    }
    items[i].error = errors[i];
    items[i].failed_on = on;
    ++items[i].attempts;
    if (items[i].attempts <= options_.retries) {
      again_.push_back({items[i]});
    } else {
      fail(items[i]);
    }
  }
  if (stopping_) return;
  try {
    report_.tell(done_);
  } catch (...) {
    stop(kNoIndex, std::current_exception());
  }
}

/// The item will not be tried again.
void map_run::fail(map_item& item) {
  if (!options_.on_error) {
    stop(item.index, item.error);
  } else if (!stopping_) {
    ask_handler(item);
  }
}

void map_run::ask_handler(const map_item& item) {
  try {
    const std::any value = options_.on_error({item.index, item.failed_on, item.attempts, item.error});
    const std::string_view wanted = job_.result_type();
    if (!wanted.empty() && !options_.on_error.returns_value()) return stop(item.index, item.error);
    if (!job_.substitute(item, value)) {
      throw type_mismatch(
          fmt::format("weir: map: on_error returned what does not convert to {}, the function's result", wanted));
    }
    done(item);
  } catch (...) {
    stop(item.index, std::current_exception());
  }
}

void map_run::done(const map_item& item) {
  job_.let_go(item);
  ++done_;
}

/// Sends no more; the error that belongs to the first item counts.
void map_run::stop(std::size_t index, std::exception_ptr error) noexcept {
  if (!stopping_ || index < error_index_) {
    error_index_ = index;
    error_ = std::move(error);
  }
  stopping_ = true;
}

// --------------------------------------------------------------------------------------------------------- the loop

bool map_run::is_some_settled(bool look_for_dead) {
  for (lane& each : lanes_) {
    if (!each.answer) continue;
    if (look_for_dead && each.watch->ended()) each.is_dead = true;
    if (each.is_dead || is_settled(each.answer)) return true;
  }
  return false;
}

/// Until an answer has come, a worker joined, or it is worth to look who is alive.
void map_run::sleep() {
  static thread_local sync::wait_estimate estimate;
  for (sync::patience patience(estimate, static_cast<std::uint32_t>(1 + lanes_.size())); patience.pause();) {
    if (is_some_settled(false)) return patience.paid();
  }
  sync::blocking_scope blocking;
  for (;;) {
    const std::uint32_t seen = table().header().completions.prepare();
    const bool look_for_dead = clock::now() >= next_look_;
    if (look_for_dead) next_look_ = clock::now() + sync::kLongestSleep;
    if (is_some_settled(look_for_dead) || table().header().workers.prepare() != workers_seen_) return;
    blocking.about_to_sleep();
    table().header().completions.sleep(seen, next_look_);
  }
}

void map_run::run() {
  report_.tell(0);
  for (;;) {
    try {
      join_workers();
      if (!stopping_) send_to_idle();
      if (in_flight_ == 0) {
        if (stopping_ || !has_more()) break;
        if (!lanes_.empty()) continue;  // a worker has gone meanwhile: what it could not do is for the others
        const bool wait_for_one = (had_lanes_ || !own_.empty()) && may_one_come();
        join_workers();  // one may have come while we asked
        if (!lanes_.empty()) continue;
        if (!wait_for_one) {
          do_without_workers();
          continue;
        }
      }
      if (!take_answers()) sleep();
    } catch (...) {  // the range, or no memory
      stop(kNoIndex, std::current_exception());
    }
  }
  if (error_) std::rethrow_exception(error_);
}

}  // namespace

void run_map(map_job& job, const map_options& options) {
  if (options.batch_size == 0) throw invalid_argument("weir: map: batch_size is 0: at least 1 item must go at a time");
  if (options.retries < 0) {
    throw invalid_argument(fmt::format("weir: map: retries is {}: it cannot be negative", options.retries));
  }
  map_run(job, options).run();
}

}  // namespace weir::detail
