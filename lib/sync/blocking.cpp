// SPDX-License-Identifier: BSL-1.0
#include "sync/blocking.hpp"

#include <atomic>

namespace weir::sync {
namespace {
std::atomic<void (*)() noexcept> g_before_sleep{nullptr};
std::atomic<void (*)() noexcept> g_after_sleep{nullptr};
std::atomic<const wait_observer*> g_observer{nullptr};
}  // namespace

void set_blocking_hooks(blocking_hooks hooks) noexcept {
  g_after_sleep.store(hooks.after_sleep, std::memory_order_relaxed);
  g_before_sleep.store(hooks.before_sleep, std::memory_order_release);  // pairs with the acquire in about_to_sleep()
}

void set_wait_observer(const wait_observer& observer) noexcept {
  g_observer.store(&observer, std::memory_order_release);  // pairs with the acquire in tell_observer()
}

void blocking_scope::tell_observer() noexcept {
  told_ = true;
  const wait_observer* const observer = g_observer.load(std::memory_order_acquire);
  observed_ = observer != nullptr && note_.what != wait_kind::none && observer->begins(note_.what, note_.number);
}

void blocking_scope::about_to_sleep() noexcept {
  if (!told_) tell_observer();
  if (is_noted(note_.what) && !noted_) noted_.emplace(note_);
  if (entered_) return;
  const auto hook = g_before_sleep.load(std::memory_order_acquire);
  if (hook == nullptr) return;
  entered_ = true;
  hook();
}

blocking_scope::~blocking_scope() {
  noted_.reset();  // after_sleep may wait for a permit, which is another matter
  if (entered_) g_after_sleep.load(std::memory_order_relaxed)();
  if (observed_) g_observer.load(std::memory_order_relaxed)->ends(note_.what, note_.number);
}

}  // namespace weir::sync
