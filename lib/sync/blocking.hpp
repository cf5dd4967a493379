// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <optional>

#include "sync/waits.hpp"

namespace weir::sync {

/// What the runtime wants to be told of a thread that is about to sleep in weir: a worker lets its next call run
/// meanwhile. Both are called on the sleeping thread; neither may throw. Set once, before any other thread waits.
struct blocking_hooks {
  void (*before_sleep)() noexcept = nullptr;
  void (*after_sleep)() noexcept = nullptr;
};
void set_blocking_hooks(blocking_hooks hooks) noexcept;

/// Brackets one wait, however many sleeps it takes: the hooks run at the first sleep and when the wait is over; meanwhile
/// the wait can be seen from outside, if it is noted.
class blocking_scope {
 public:
  blocking_scope() = default;
  explicit blocking_scope(const wait_note& note) noexcept : note_(note) {}
  blocking_scope(const blocking_scope&) = delete;
  blocking_scope& operator=(const blocking_scope&) = delete;
  ~blocking_scope();
  /// Call before each sleep.
  void about_to_sleep() noexcept;

 private:
  wait_note note_;
  std::optional<noted_wait> noted_;
  bool entered_ = false;
};

}  // namespace weir::sync
