// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <pthread.h>

#include <chrono>
#include <cstdint>
#include <type_traits>

namespace weir::sync {

/// Process-shared mutex that survives the death of its owner: the next locker is told, and repairs.
/// Lies in shared memory; make() it once, in place. Meets the requirements of std::unique_lock and of
/// boost::interprocess::scoped_lock. Not recursive. 48 bytes.
class robust_mutex {
 public:
  /// To be called once by the creator of the segment.
  void make();
  /// Waits. If the owner died, the mutex is made consistent and left marked until take_damage() asks.
  void lock();
  [[nodiscard]] bool try_lock();
  void unlock() noexcept;
  /// False: still locked at `until`. For boost::interprocess::scoped_lock, which passes its own time points.
  template <class TimePoint>
  [[nodiscard]] bool timed_lock(const TimePoint& until) {
    const auto left = until - TimePoint::clock::now();
    return try_lock_for(std::chrono::duration_cast<std::chrono::nanoseconds>(left));
  }
  /// False: still locked after `length`.
  [[nodiscard]] bool try_lock_for(std::chrono::nanoseconds length);
  /// True if an owner died since the last call of this by a holder: what it guards may be half changed.
  /// Only while holding the lock.
  [[nodiscard]] bool take_damage() noexcept;
  /// False: what lies here is no mutex that make() made. Locking it could do anything.
  [[nodiscard]] bool is_sound() const noexcept;
  /// The thread that holds it; 0: none. Stale as soon as it is returned.
  [[nodiscard]] std::int32_t holder() const noexcept;

 private:
  bool lock_result(int result);
  pthread_mutex_t mutex_;
  // Set (under the lock) by the locker that was told of a dead owner, cleared by take_damage(). A locker that dies
  // between being told and setting it leaves the mutex owner-dead again: the next one is told.
  unsigned damaged_;
};
static_assert(std::is_standard_layout_v<robust_mutex> && std::is_trivially_destructible_v<robust_mutex>);
static_assert(sizeof(robust_mutex) == 48);

}  // namespace weir::sync
