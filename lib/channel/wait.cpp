// SPDX-License-Identifier: BSL-1.0
#include "channel/wait.hpp"

#include <unistd.h>

#include <algorithm>
#include <climits>

#include "segment/crash_point.hpp"

namespace weir::detail {

channel_core::locked::locked(channel_core& core) : lock_(core.header_->mutex) {
  if (core.header_->mutex.take_damage()) core.repair();
}

ch::event& channel_core::event_of(ch::waits_for what) const noexcept {
  switch (what) {
    case ch::waits_for::item: return header_->not_empty;
    case ch::waits_for::block: return header_->block_freed;
    default: return header_->not_full;
  }
}

void channel_core::wake_event(ch::event& event, std::size_t count) noexcept {
  if (event.sleepers.load(std::memory_order_seq_cst) == 0) return;
  event.epoch.fetch_add(1, std::memory_order_seq_cst);
  WEIR_CRASH_POINT("event.epoch.advanced");
  sync::wake_sleepers(event.epoch, static_cast<int>(std::min<std::size_t>(count, INT_MAX)));
}

void channel_core::wake_everybody() noexcept {
  for (ch::event* event : {&header_->not_empty, &header_->not_full, &header_->block_freed}) {
    event->epoch.fetch_add(1, std::memory_order_seq_cst);
    sync::wake_sleepers(event->epoch, INT_MAX);
  }
}

std::uint32_t channel_core::enter_waiters(ch::waits_for what, std::int64_t since_ns, deadline until) {
  const locked lock(*this);
  std::uint32_t entry = 0;
  while (entry < header_->waiters_high &&
         waiters_[entry].what.load(std::memory_order_relaxed) != ch::waits_for::nothing) {
    ++entry;
  }
  if (entry == ch::kWaiters) return kNoEntry;
  if (entry == header_->waiters_high) {
    if (entry % (shm::kPage / sizeof(ch::waiter_entry)) == 0) {
      try {
        segment_.reserve("wait on channel", header_->waiters_offset + entry * sizeof(ch::waiter_entry), shm::kPage);
      } catch (const error&) {
        return kNoEntry;  // shared memory is full: the wait goes on, in naps
      }
    }
    header_->waiters_high = entry + 1;
  }
  ch::waiter_entry& w = waiters_[entry];
  w.participant = me_;
  w.thread = ::gettid();
  w.since_ns = since_ns;
  w.until_ns = until.is_never() || until.is_at_once()
                   ? 0
                   : std::chrono::duration_cast<std::chrono::nanoseconds>(until.when().time_since_epoch()).count();
  w.what.store(what, std::memory_order_release);  // pairs with the inspector's acquire
  WEIR_CRASH_POINT("waiter.entered");
  event_of(what).sleepers.fetch_add(1, std::memory_order_seq_cst);
  WEIR_CRASH_POINT("waiter.counted");
  return entry;
}

void channel_core::leave_waiters(std::uint32_t entry) noexcept {
  if (entry == kNoEntry) return;
  const locked lock(*this);
  const ch::waits_for what = waiters_[entry].what.load(std::memory_order_relaxed);
  waiters_[entry].what.store(ch::waits_for::nothing, std::memory_order_release);
  WEIR_CRASH_POINT("waiter.left");
  event_of(what).sleepers.fetch_sub(1, std::memory_order_seq_cst);
}

}  // namespace weir::detail
