// SPDX-License-Identifier: BSL-1.0
#include "sync/blocking.hpp"

#include <atomic>

namespace weir::sync {
namespace {
std::atomic<void (*)() noexcept> g_before_sleep{nullptr};
std::atomic<void (*)() noexcept> g_after_sleep{nullptr};
}  // namespace

void set_blocking_hooks(blocking_hooks hooks) noexcept {
  g_after_sleep.store(hooks.after_sleep, std::memory_order_relaxed);
  g_before_sleep.store(hooks.before_sleep, std::memory_order_release);  // pairs with the acquire in about_to_sleep()
}

void blocking_scope::about_to_sleep() noexcept {
  if (note_.what != wait_kind::none && !noted_) noted_.emplace(note_);
  if (entered_) return;
  const auto hook = g_before_sleep.load(std::memory_order_acquire);
  if (hook == nullptr) return;
  entered_ = true;
  hook();
}

blocking_scope::~blocking_scope() {
  noted_.reset();  // after_sleep may wait for a permit, which is another matter
  if (entered_) g_after_sleep.load(std::memory_order_relaxed)();
}

}  // namespace weir::sync
