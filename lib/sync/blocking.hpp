// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace weir::sync {

/// What the runtime wants to be told of a thread that is about to sleep in weir: a worker lets its next call run
/// meanwhile. Both are called on the sleeping thread; neither may throw. Set once, before any other thread waits.
struct blocking_hooks {
  void (*before_sleep)() noexcept = nullptr;
  void (*after_sleep)() noexcept = nullptr;
};
void set_blocking_hooks(blocking_hooks hooks) noexcept;

/// What a thread sleeps for. The numbers are written in traces (lib/trace/trace_layout.hpp).
enum class wait_kind : std::uint8_t {
  untold = 0,  // of no interest: an idle process waits for its next call
  item = 1,    // in a channel; the object is the channel's number, as in the next four
  room = 2,
  block = 3,
  pickup = 4,    // of an item put into a rendezvous
  channels = 5,  // several, a select's; no object
  result = 6,    // of a call; the object is the callee
  worker = 7,    // to come, or to end
  output = 8,    // to have been printed
  team = 9,      // the other ranks
  lock = 10,     // of an array; the object is the array's number, as in the next
  resize = 11,
  answers = 12,  // of a map's calls
};
inline constexpr std::uint8_t kLastWaitKind = 12;

/// Told of waits as blocking_hooks are, but also outside of calls. `begins` returns whether it wants to hear of the end.
struct wait_observer {
  bool (*begins)(wait_kind what, std::uint64_t object) noexcept = nullptr;
  void (*ends)(wait_kind what, std::uint64_t object) noexcept = nullptr;
};
/// Set once, to what lives as long as the process.
void set_wait_observer(const wait_observer& observer) noexcept;

/// Brackets one wait, however many sleeps it takes: the hooks run at the first sleep and when the wait is over.
class blocking_scope {
 public:
  explicit blocking_scope(wait_kind what, std::uint64_t object = 0) noexcept : object_(object), what_(what) {}
  blocking_scope(const blocking_scope&) = delete;
  blocking_scope& operator=(const blocking_scope&) = delete;
  ~blocking_scope();
  /// Call before each sleep.
  void about_to_sleep() noexcept;

 private:
  void tell_observer() noexcept;

  std::uint64_t object_;
  wait_kind what_;
  bool entered_ = false;
  bool told_ = false;      // the observer has been asked
  bool observed_ = false;  // and wants to hear of the end
};

}  // namespace weir::sync
