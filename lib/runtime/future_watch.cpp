// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <utility>

#include "runtime/future_core.hpp"
#include "sync/futex.hpp"
#include "sync/waits.hpp"

namespace weir::detail {

/// The process that is to answer.
struct future_watch::callee {
  explicit callee(const future_core& future) : watch(future.self().table(), future.callee()) {}
  runtime::death_watch watch;
  bool has_ended = false;
  std::optional<sync::noted_wait> noted;
};

future_watch::future_watch(future_handle future) : future_(std::move(future)) { check_valid(future_); }

future_watch::~future_watch() = default;

bool future_watch::is_ready() { return future_->is_settled() || (callee_ && callee_->has_ended); }

std::optional<futex_word> future_watch::word_to_sleep_on() {
  if (!callee_) callee_ = std::make_unique<callee>(*future_);
  callee_->has_ended = callee_->watch.ended().has_value();
  if (is_ready()) return std::nullopt;
  std::atomic<std::uint32_t>& word = future_->slot().word;
  std::uint32_t seen = runtime::make_word(runtime::result_phase::pending, future_->place().generation);
  const std::uint32_t marked = seen | runtime::kResultSleeper;
  if (!word.compare_exchange_strong(seen, marked, std::memory_order_seq_cst) && seen != marked) return std::nullopt;
  if (!callee_->noted) {
    callee_->noted.emplace(sync::wait_note{.what = sync::wait_kind::result,
                                           .process = future_->callee(),
                                           .owner = future_->segment().owner(),
                                           .slot = future_->place().slot,
                                           .generation = future_->place().generation});
  }
  return futex_word{sync::address_of(word), marked};
}

void future_watch::slept() noexcept {
  if (callee_) callee_->noted.reset();
}

}  // namespace weir::detail
