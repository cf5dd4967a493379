// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
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

/// Told of waits as blocking_hooks are, but also outside of calls. `begins` returns whether it wants to hear of the end.
struct wait_observer {
  bool (*begins)(wait_kind what, std::uint64_t number) noexcept = nullptr;
  void (*ends)(wait_kind what, std::uint64_t number) noexcept = nullptr;
};
/// Set once, to what lives as long as the process.
void set_wait_observer(const wait_observer& observer) noexcept;

/// Brackets one wait, however many sleeps it takes: the hooks run at the first sleep and when the wait is over; meanwhile
/// the wait can be seen from outside, if it is noted.
class blocking_scope {
 public:
  explicit blocking_scope(const wait_note& note) noexcept : note_(note) {}
  blocking_scope(const blocking_scope&) = delete;
  blocking_scope& operator=(const blocking_scope&) = delete;
  ~blocking_scope();
  /// Call before each sleep.
  void about_to_sleep() noexcept;

 private:
  void tell_observer() noexcept;

  wait_note note_;
  std::optional<noted_wait> noted_;
  bool entered_ = false;
  bool told_ = false;      // the observer has been asked
  bool observed_ = false;  // and wants to hear of the end
};

}  // namespace weir::sync
