// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <algorithm>

#include "runtime/exit_notices.hpp"
#include "runtime/map_run.hpp"
#include "sync/blocking.hpp"
#include "sync/patience.hpp"
#include "weir/error.hpp"

namespace weir {
namespace runtime {

map_run::map_run(detail::map_job& job, const map_options& options)
    : self_(member::current_or_throw("map")),
      job_(job),
      options_(options),
      target_(job.target()),
      report_(options, job.total()) {
  find_own_workers();
}

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
  const process_entry* entry = table().find(id);
  return entry != nullptr && entry->state.load(std::memory_order_acquire) == worker_state::running &&
         entry->told_to_end.load(std::memory_order_relaxed) == 0;
}

/// Takes in workers that have come; those that have gone, or have been told to, leave as soon as they have nothing to do.
void map_run::join_workers() {
  const std::uint32_t now = table().header().workers.prepare();
  if (now == workers_seen_) return;
  workers_seen_ = now;
  const auto leaves = [&](const map_lane& each) { return !each.answer && !may_join(each.to->id()); };
  for (const map_lane& each : lanes_) {
    if (leaves(each)) last_dead_ = each.to->id();
  }
  lanes_.remove_if(leaves);
  const auto join = [&](process_id id) {
    const auto has_joined = [id](const map_lane& each) { return each.to->id() == id; };
    if (!may_join(id) || std::any_of(lanes_.begin(), lanes_.end(), has_joined)) return;
    lanes_.emplace_back(detail::find_peer(id));
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
  if (!std::all_of(dead_.begin(), dead_.end(), is_known) || exit_notices::is_one_being_told()) return true;
  const process_id end = table().header().next_id.load(std::memory_order_acquire);
  for (process_id id = kControlProcess + 1; id < end; ++id) {
    const process_entry* entry = table().find(id);
    if (entry == nullptr || entry->state.load(std::memory_order_acquire) != worker_state::starting) continue;
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
    std::optional<detail::map_item> next = job_.pull();
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
bool map_run::send(map_lane& to, batch items) {
  try {
    detail::encoder arguments;
    job_.encode(arguments, items);
    to.answer = detail::send_call(to.to, target_, arguments);
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

/// No worker is left, or there never was one.
void map_run::do_without_workers() {
  batch items = std::move(again_.front());
  again_.pop_front();
  if (!had_lanes_ && own_.empty()) return run_here(std::move(items));
  if (!last_death_) {
    if (last_dead_ == 0) last_dead_ = own_.front();
    last_death_ = std::make_exception_ptr(make_worker_died("map", last_dead_, table().report_of(last_dead_)));
  }
  // One by one: the handler may start a worker.
  detail::map_item item = std::move(items.front());
  items.erase(items.begin());
  if (!items.empty()) again_.push_front(std::move(items));
  if (!item.error) {
    item.error = last_death_;
    item.failed_on = last_dead_;
  }
  fail(item);
}

// --------------------------------------------------------------------------------------------------------- the loop

bool map_run::is_some_settled(bool look_for_dead) {
  for (map_lane& each : lanes_) {
    if (!each.answer) continue;
    if (look_for_dead && each.watch->ended()) each.is_dead = true;
    if (each.is_dead || detail::is_settled(each.answer)) return true;
  }
  return false;
}

/// Until an answer has come, a worker joined, or it is worth to look who is alive.
void map_run::sleep() {
  static thread_local sync::wait_estimate estimate;
  for (sync::patience patience(estimate, static_cast<std::uint32_t>(1 + lanes_.size())); patience.pause();) {
    if (is_some_settled(false)) return patience.paid();
  }
  sync::blocking_scope blocking({.what = sync::wait_kind::map, .slot = static_cast<std::uint32_t>(in_flight_)});
  for (;;) {
    const std::uint32_t seen = table().header().completions.prepare();
    const bool look_for_dead = clock::now() >= next_look_;
    if (look_for_dead) next_look_ = clock::now() + sync::kLongestSleep;
    if (is_some_settled(look_for_dead) || table().header().workers.prepare() != workers_seen_) return;
    blocking.about_to_sleep();
    table().header().completions.sleep(seen, next_look_);
    if (in_flight_ == 0) return;  // it is for the caller to look whether a worker may still come
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

}  // namespace runtime

void detail::run_map(map_job& job, const map_options& options) {
  if (options.batch_size == 0) throw invalid_argument("weir: map: batch_size is 0: at least 1 item must go at a time");
  if (options.retries < 0) {
    throw invalid_argument(fmt::format("weir: map: retries is {}: it cannot be negative", options.retries));
  }
  runtime::map_run(job, options).run();
}

}  // namespace weir
