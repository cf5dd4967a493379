// SPDX-License-Identifier: BSL-1.0
#include "channel/wait.hpp"

#include <fmt/core.h>

#include <exception>
#include <system_error>

#include "segment/process_identity.hpp"
#include "sync/thread_id.hpp"
#include "weir/detail/crash_point.hpp"

namespace weir::detail {

channel_core::locked::locked(channel_core& core) : lock_(core.header_->mutex, std::defer_lock) {
  constexpr std::chrono::milliseconds kLookAfter{100};
  if (!core.header_->mutex.is_sound()) core.throw_corrupt("its lock is not a mutex that weir made");
  try {
    bool have = lock_.try_lock();
    for (int looks = 0; !have; ++looks) {
      have = lock_.try_lock_for(kLookAfter);
      if (!have) core.check_lock_holder(looks);
    }
  } catch (const std::system_error& e) {
    core.throw_corrupt(fmt::format("its lock cannot be had: {}", e.what()));
  }
  if (core.header_->mutex.take_damage()) core.repair();
}

channel_core::locked::locked(channel_core& core, std::chrono::milliseconds patience)
    : lock_(core.header_->mutex, std::defer_lock) {
  if (!core.header_->mutex.is_sound()) core.throw_corrupt("its lock is not a mutex that weir made");
  try {
    if (!lock_.try_lock_for(patience)) return;
  } catch (const std::system_error& e) {
    core.throw_corrupt(fmt::format("its lock cannot be had: {}", e.what()));
  }
  if (core.header_->mutex.take_damage()) core.repair();
}

/// The lock is held. By a thread that has not mapped the segment? The kernel takes it away from one that dies. Where that
/// cannot be seen, by one that is none of ours and does not let go?
void channel_core::check_lock_holder(int looks_before) const {
  const std::int32_t thread = header_->mutex.holder();
  const bool is_ours = thread == sync::thread_id();  // who waits for it does not hold it
  if (thread == 0 || (!is_ours && may_let_go(thread, looks_before))) return;
  if (header_->mutex.holder() == thread) {
    throw_corrupt(fmt::format("its lock is said to be held by thread {}, which does not use it", thread));
  }
}

bool channel_core::may_let_go(std::int32_t thread, int looks_before) const {
  constexpr int kPatient = 10;  // looks: long enough for a process that is just coming to be one of ours
  const std::uint32_t our_namespace = shm::this_process().pid_namespace;
  if (segment_.header().creator.pid_namespace != our_namespace) return true;
  for (std::uint32_t entry = 1; entry < participants_high(); ++entry) {
    const ch::participant_entry& user = participants_[entry];
    if (user.used.load(std::memory_order_acquire) == 0) continue;
    if (user.who.pid_namespace != our_namespace || shm::is_thread_of(thread, user.who.pid)) return true;
  }
  const shm::mapping found = shm::look_for_mapping(thread, segment_.file_number());
  return found == shm::mapping::has || (found == shm::mapping::unknown && looks_before < kPatient);
}

ch::event& channel_core::event_of(ch::waits_for what) const noexcept {
  switch (what) {
    case ch::waits_for::item: return header_->not_empty;
    case ch::waits_for::block: return header_->block_freed;
    default: return header_->not_full;
  }
}

void channel_core::rouse_everybody() noexcept {
  for (ch::event* event : {&header_->not_empty, &header_->not_full, &header_->block_freed}) ch::rouse(*event);
}

/// An unused entry, made entering(me); kNoEntry if there is none, or no memory for one more.
std::uint32_t channel_core::claim_waiter(std::uint32_t entering) noexcept {
  constexpr std::uint32_t kInPage = shm::kPage / sizeof(ch::waiter_entry);
  std::uint32_t high = header_->waiters_high.load(std::memory_order_acquire);
  for (std::uint32_t entry = 0; entry < ch::kWaiters; ++entry) {
    if (entry >= high) {
      if (entry % kInPage == 0) {
        try {
          segment_.reserve("wait on channel", constants_.geometry.waiters_offset + entry * sizeof(ch::waiter_entry),
                           shm::kPage);
        } catch (const std::exception&) {
          return kNoEntry;  // shared memory is full, or the process's: the wait goes on, in naps
        }
      }
      header_->waiters_high.compare_exchange_strong(high, entry + 1, std::memory_order_acq_rel);
      WEIR_CRASH_POINT("waiter.high");
      high = header_->waiters_high.load(std::memory_order_acquire);
    }
    std::uint32_t unused = 0;
    WEIR_CRASH_POINT("waiter.claiming");
    if (waiters_[entry].word.compare_exchange_strong(unused, entering, std::memory_order_acq_rel)) return entry;
  }
  return kNoEntry;
}

std::uint32_t channel_core::enter_waiters(ch::waits_for what, deadline until) noexcept {
  const std::uint32_t entry = claim_waiter(ch::make_waiter(me_, ch::waiter_stage::entering, what));
  if (entry == kNoEntry) return kNoEntry;
  WEIR_CRASH_POINT("waiter.entered");
  ch::waiter_entry& w = waiters_[entry];
  w.thread = sync::thread_id();
  w.since_ns = monotonic_ns();
  w.until_ns = until.is_never() || until.is_at_once()
                   ? 0
                   : std::chrono::duration_cast<std::chrono::nanoseconds>(until.when().time_since_epoch()).count();
  WEIR_CRASH_POINT("waiter.described");
  if (!ch::enter(event_of(what))) {
    w.word.store(0, std::memory_order_release);
    return kNoEntry;
  }
  WEIR_CRASH_POINT("waiter.counted");
  // Pairs with the acquire of the inspector and of recovery.
  w.word.store(ch::make_waiter(me_, ch::waiter_stage::counted, what), std::memory_order_release);
  WEIR_CRASH_POINT("waiter.ready");
  tell_putters_of_taker(what);
  return entry;
}

void channel_core::leave_waiters(std::uint32_t entry) noexcept {
  if (entry == kNoEntry) return;
  std::atomic<std::uint32_t>& word = waiters_[entry].word;
  const ch::waits_for what = ch::waited_for(word.load(std::memory_order_relaxed));
  word.store(ch::make_waiter(me_, ch::waiter_stage::leaving, what), std::memory_order_release);
  WEIR_CRASH_POINT("waiter.leaving");
  ch::leave(event_of(what));
  WEIR_CRASH_POINT("waiter.left");
  word.store(0, std::memory_order_release);
  WEIR_CRASH_POINT("waiter.gone");
  tell_putters_of_taker(what);
}

/// Takes off what a dead participant's threads slept on. May be done again from any point.
void channel_core::recover_waiters(std::uint32_t dead) noexcept {
  for (std::uint32_t entry = 0; entry < waiters_high(); ++entry) {
    std::atomic<std::uint32_t>& word = waiters_[entry].word;
    const std::uint32_t seen = word.load(std::memory_order_acquire);
    if (seen == 0 || ch::participant_of_waiter(seen) != dead) continue;
    if (ch::stage_of_waiter(seen) == ch::waiter_stage::counted) {
      const ch::waits_for what = ch::waited_for(seen);
      word.store(ch::make_waiter(dead, ch::waiter_stage::leaving, what), std::memory_order_release);
      WEIR_CRASH_POINT("recovery.waiter.leaving");
      ch::leave(event_of(what));
      WEIR_CRASH_POINT("recovery.waiter.left");
    }
    word.store(0, std::memory_order_release);
    WEIR_CRASH_POINT("recovery.waiter.gone");
  }
}

}  // namespace weir::detail
