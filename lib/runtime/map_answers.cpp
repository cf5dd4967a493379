// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <algorithm>

#include "runtime/future_core.hpp"
#include "runtime/map_run.hpp"
#include "weir/error.hpp"

// What becomes of the items of a map that have been sent.
namespace weir::runtime {

void map_run::run_here(batch items) {
  std::vector<std::exception_ptr> errors(items.size());
  try {
    detail::encoder arguments;
    job_.encode(arguments, items);
    try {
      const detail::answer_here answer(target_, arguments);
      job_.store(items, answer.body(), self_->id(), errors);
    } catch (const std::exception&) {
      std::fill(errors.begin(), errors.end(), std::current_exception());
    }
  } catch (...) {
    return stop(items.front().index, std::current_exception());
  }
  settle(items, errors, self_->id());
}

/// False: none has come.
bool map_run::take_answers() {
  bool any = false;
  for (map_lane& each : lanes_) {
    if (!each.answer || !(each.is_dead || detail::is_settled(each.answer))) continue;
    take_answer(each);
    any = true;
  }
  if (any) lanes_.remove_if([](const map_lane& each) { return each.is_dead; });
  return any;
}

void map_run::take_answer(map_lane& from) {
  batch items = std::exchange(from.items, {});
  std::vector<std::exception_ptr> errors(items.size());
  const process_id id = from.to->id();
  from.is_dead = false;
  try {
    const detail::result_bytes answer(std::exchange(from.answer, nullptr));
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
void map_run::fail(detail::map_item& item) {
  if (!options_.on_error) {
    stop(item.index, item.error);
  } else if (!stopping_) {
    ask_handler(item);
  }
}

void map_run::ask_handler(const detail::map_item& item) {
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

void map_run::done(const detail::map_item& item) {
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

}  // namespace weir::runtime
