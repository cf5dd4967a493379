// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>

#include "weir/detail/array_core.hpp"
#include "weir/detail/deadlines.hpp"

namespace weir {

/// An array's own lock: one holder at a time, or any number that share it, among all threads of all processes that have
/// the array. Works with std::unique_lock, std::shared_lock and std::scoped_lock, as a std::shared_timed_mutex does; it
/// locks nothing by itself, access to the elements is not hindered.
///
/// Waiting   lock and lock_shared wait; those that wait to have it alone come before new ones that want to share it.
/// Crash     a process that dies holding it, either way, has let go of it: who waits has it at once, or (where it was
///           shared) within 100 ms. What the elements hold is then as the dead left it: see owner_died().
/// Threads   not recursive, either way; to be unlocked by the thread that locked it.
/// Lifetime  as long as a handle to the array is left in this process: keep one longer than the lock.
/// Errors    corrupt_segment if the shared memory is damaged; invalid_argument in a forked child, and where a thread waits
///           for what it has locked itself.
class array_mutex {
 public:
  array_mutex(const array_mutex&) = delete;
  array_mutex& operator=(const array_mutex&) = delete;

  void lock() { static_cast<void>(acquire(detail::deadline::never())); }
  [[nodiscard]] bool try_lock() { return acquire(detail::deadline::at_once()); }
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> timeout) {
    return acquire(detail::deadline::after(timeout));
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool try_lock_until(std::chrono::time_point<Clock, Duration> when) {
    return detail::until(when, [this](detail::deadline d) { return acquire(d); });
  }
  void unlock() noexcept;

  void lock_shared() { static_cast<void>(acquire_shared(detail::deadline::never())); }
  [[nodiscard]] bool try_lock_shared() { return acquire_shared(detail::deadline::at_once()); }
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_shared_for(std::chrono::duration<Rep, Period> timeout) {
    return acquire_shared(detail::deadline::after(timeout));
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool try_lock_shared_until(std::chrono::time_point<Clock, Duration> when) {
    return detail::until(when, [this](detail::deadline d) { return acquire_shared(d); });
  }
  void unlock_shared() noexcept;

  /// True if a process died that had locked it alone, since this said so last: what it was changing may be half done.
  /// To be asked by one who holds the lock.
  [[nodiscard]] bool owner_died();

 private:
  friend class detail::array_core;
  explicit array_mutex(detail::array_core& core) noexcept : core_(core) {}
  /// False: not had at that time.
  [[nodiscard]] bool acquire(detail::deadline until);
  [[nodiscard]] bool acquire_shared(detail::deadline until);
  detail::array_core& core_;
};

}  // namespace weir
