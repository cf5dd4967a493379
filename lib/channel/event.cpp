// SPDX-License-Identifier: BSL-1.0
#include "channel/event.hpp"

#include <algorithm>
#include <bit>
#include <climits>

#include "sync/futex.hpp"
#include "sync/heavy_fence.hpp"
#include "weir/detail/crash_point.hpp"

namespace weir::channels {
namespace {

constexpr std::uint32_t kCalm = 4096;  // looks for nobody, after which wakers go without fences

constexpr std::uint64_t without_a_signal(std::uint64_t word) noexcept {
  return signals_of(word) != 0 ? word - kOneSignal : word;
}

}  // namespace

const std::uint32_t* futex_of(const event& e) noexcept {
  static_assert(std::endian::native == std::endian::little);
  return reinterpret_cast<const std::uint32_t*>(&e.word) + 1;
}

bool enter(event& e) noexcept {
  WEIR_CRASH_POINT("event.entering");
  std::uint64_t seen = e.word.load(std::memory_order_relaxed);
  do {
    if (sleepers_of(seen) >= kMostSleepers) return false;
  } while (!e.word.compare_exchange_weak(seen, (seen + kOneSleeper) | kFencing, std::memory_order_seq_cst));
  WEIR_CRASH_POINT("event.counted");
  if ((seen & kFenced) == 0) {
    WEIR_CRASH_POINT("event.fencing");
    sync::heavy_fence();
    e.word.fetch_or(kFenced, std::memory_order_seq_cst);
    WEIR_CRASH_POINT("event.fenced");
  }
  return true;
}

std::uint32_t listen(event& e) noexcept {
  WEIR_CRASH_POINT("event.listening");
  std::uint64_t seen = e.word.load(std::memory_order_relaxed);
  // Also when there is no signal: what is looked at afterwards must not be read before this.
  while (!e.word.compare_exchange_weak(seen, without_a_signal(seen), std::memory_order_seq_cst)) {
  }
  WEIR_CRASH_POINT("event.listened");
  return epoch_of(seen);
}

void leave(event& e) noexcept {
  std::uint64_t seen = e.word.load(std::memory_order_relaxed);
  for (;;) {
    if (sleepers_of(seen) == 0) return;  // the segment is damaged
    if (e.word.compare_exchange_weak(seen, without_a_signal(seen) - kOneSleeper, std::memory_order_seq_cst)) return;
  }
}

bool sleep(const event& e, std::uint32_t epoch, std::chrono::steady_clock::time_point until) noexcept {
  return sync::sleep_on(futex_of(e), epoch, until) == sync::sleep_result::woken;
}

void rouse(event& e) noexcept {
  WEIR_CRASH_POINT("event.rousing");
  e.word.fetch_add(kOneEpoch, std::memory_order_seq_cst);
  WEIR_CRASH_POINT("event.roused");
  sync::wake_sleepers(futex_of(e), INT_MAX);
  WEIR_CRASH_POINT("event.roused.woken");
}

}  // namespace weir::channels

namespace weir::detail {

void wake_some(channels::event& event, std::size_t count) noexcept {
  using namespace channels;
  std::uint64_t seen = event.word.load(std::memory_order_seq_cst);
  while (wants_waking(seen)) {
    const std::uint64_t asleep = sleepers_of(seen) - signals_of(seen);
    const std::uint64_t now = std::min<std::uint64_t>(count, asleep);
    WEIR_CRASH_POINT("event.waking");
    if (!event.word.compare_exchange_weak(seen, seen + kOneEpoch + now * kOneSignal, std::memory_order_seq_cst)) {
      continue;
    }
    WEIR_CRASH_POINT("event.epoch.advanced");
    sync::wake_sleepers(futex_of(event), static_cast<int>(now));
    WEIR_CRASH_POINT("event.woken");
    return;
  }
}

std::size_t look_again(channels::event& event, std::atomic<std::uint32_t>& calm) noexcept {
  using namespace channels;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  std::uint64_t seen = event.word.load(std::memory_order_seq_cst);
  if (sleepers_of(seen) != 0) {
    calm.store(0, std::memory_order_relaxed);
    return wants_waking(seen) ? sleepers_of(seen) - signals_of(seen) : 0;
  }
  const std::uint32_t looks = calm.load(std::memory_order_relaxed) + 1;
  calm.store(looks % kCalm, std::memory_order_relaxed);
  if (looks < kCalm) return 0;
  WEIR_CRASH_POINT("event.calming");
  // Nobody sleeps, or this fails. Signals left over by the dead go too.
  event.word.compare_exchange_strong(seen, seen & ~std::uint64_t{0xffffffff}, std::memory_order_seq_cst);
  WEIR_CRASH_POINT("event.calmed");
  return 0;
}

void fast_path::wake_takers_of(const channels::ring::place& put) noexcept {
  if (const std::size_t asleep = look_again(*not_empty_, calm_puts_); asleep != 0) {
    // Those who were roused by the closing may have found this one missing, and need no item to go.
    const bool is_closed = closed_->load(std::memory_order_seq_cst) != 0;
    wake_some(*not_empty_, is_closed ? asleep : 1 + ring_.full_after(put, asleep - 1));
  }
}

void fast_path::wake_putters_of(const channels::ring::place& taken) noexcept {
  if (const std::size_t asleep = look_again(*not_full_, calm_takes_); asleep != 0) {
    wake_some(*not_full_, 1 + ring_.room_after(taken, asleep - 1));
  }
}

}  // namespace weir::detail
