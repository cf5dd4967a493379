// SPDX-License-Identifier: BSL-1.0
#include "sync/waits.hpp"

#include <pthread.h>

#include <cstring>
#include <mutex>
#include <new>
#include <utility>

#include "sync/immortal.hpp"
#include "sync/thread_id.hpp"
#include "weir/detail/crash_point.hpp"

namespace weir::sync {
namespace {

struct current_table {
  std::mutex mutex;
  std::shared_ptr<wait_table> value;
};

current_table& holder();

/// In a forked child: the entries are its parent's, and the threads that have some are not here. With the lock.
void leave_to_parent() noexcept {
  alignas(std::shared_ptr<wait_table>) static std::byte storage[sizeof(std::shared_ptr<wait_table>)];
  auto* const left_alone = new (storage) std::shared_ptr<wait_table>;
  left_alone->swap(holder().value);
  holder().mutex.unlock();
}

current_table& holder() {
  // It is asked for while the process ends.
  static sync::immortal<current_table> made(
      [] { ::pthread_atfork([] { holder().mutex.lock(); }, [] { holder().mutex.unlock(); }, &leave_to_parent); });
  return *made;
}

std::shared_ptr<wait_table> own_table() noexcept {
  current_table& here = holder();
  const std::scoped_lock lock(here.mutex);
  return here.value;
}

std::int64_t ns_of(std::chrono::steady_clock::time_point when) noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(when.time_since_epoch()).count();
}

}  // namespace

void set_wait_table(std::shared_ptr<wait_table> table) noexcept {
  current_table& here = holder();
  const std::scoped_lock lock(here.mutex);
  here.value.swap(table);
}

noted_wait::noted_wait(const wait_note& note) noexcept : table_(own_table()) {
  if (!table_) return;
  const std::int32_t me = thread_id();
  for (wait_entry& each : table_->entries) {
    std::int32_t nobody = 0;
    if (each.thread.load(std::memory_order_relaxed) != 0) continue;
    WEIR_CRASH_POINT("waits.claiming");
    if (!each.thread.compare_exchange_strong(nobody, me, std::memory_order_acq_rel)) continue;
    WEIR_CRASH_POINT("waits.claimed");
    entry_ = &each;
    break;
  }
  if (entry_ == nullptr) return;
  const std::uint32_t unused = (entry_->word.load(std::memory_order_relaxed) & ~kWaitKindMask) + kOneWait;
  entry_->word.store(unused, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);  // nothing of what follows is written before that
  entry_->since_ns = ns_of(std::chrono::steady_clock::now());
  entry_->until_ns = note.until == std::chrono::steady_clock::time_point::max() ? 0 : ns_of(note.until);
  entry_->process = note.process;
  entry_->owner = note.owner;
  entry_->slot = note.slot;
  entry_->generation = note.generation;
  const std::size_t length = note.object.copy(entry_->object, kWaitObjectBytes - 1);
  std::memset(entry_->object + length, 0, kWaitObjectBytes - length);
  WEIR_CRASH_POINT("waits.described");
  // For whoever reads the file (inspect/live.cpp): an entry that is the same twice was whole in between.
  entry_->word.store(unused | static_cast<std::uint32_t>(note.what), std::memory_order_release);
  WEIR_CRASH_POINT("waits.entered");
}

noted_wait::~noted_wait() {
  if (entry_ == nullptr) return;
  if (entry_->thread.load(std::memory_order_relaxed) != thread_id()) return;  // in a forked child: it is the parent's
  entry_->word.store(entry_->word.load(std::memory_order_relaxed) & ~kWaitKindMask, std::memory_order_release);
  WEIR_CRASH_POINT("waits.leaving");
  entry_->thread.store(0, std::memory_order_release);
  WEIR_CRASH_POINT("waits.left");
}

idle_mark::idle_mark() noexcept : idle_mark(own_table()) {}

idle_mark::idle_mark(std::shared_ptr<wait_table> table) noexcept : table_(std::move(table)) {
  if (!table_) return;
  for (std::atomic<std::int32_t>& each : table_->idle) {
    std::int32_t nobody = 0;
    if (each.load(std::memory_order_relaxed) != 0) continue;
    if (!each.compare_exchange_strong(nobody, thread_id(), std::memory_order_acq_rel)) continue;
    WEIR_CRASH_POINT("waits.idle");
    entry_ = &each;
    break;
  }
}

idle_mark::~idle_mark() {
  if (entry_ == nullptr) return;
  entry_->store(0, std::memory_order_release);
  WEIR_CRASH_POINT("waits.not_idle");
}

}  // namespace weir::sync
