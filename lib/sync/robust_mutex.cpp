// SPDX-License-Identifier: BSL-1.0
#include "sync/robust_mutex.hpp"

#include <linux/futex.h>

#include <cerrno>
#include <system_error>

#include "weir/detail/crash_point.hpp"

namespace weir::sync {
namespace {

void check(int result, const char* operation) {
  if (result != 0) throw std::system_error(result, std::generic_category(), operation);
}

}  // namespace

void robust_mutex::make() {
  pthread_mutexattr_t attributes;
  check(::pthread_mutexattr_init(&attributes), "weir: making a shared mutex");
  ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  const int result = ::pthread_mutex_init(&mutex_, &attributes);
  ::pthread_mutexattr_destroy(&attributes);
  check(result, "weir: making a shared mutex");
  damaged_ = 0;
}

bool robust_mutex::lock_result(int result) {
  switch (result) {
    case 0: WEIR_CRASH_POINT("mutex.locked"); return true;
    case EOWNERDEAD:
      WEIR_CRASH_POINT("mutex.inherited");
      damaged_ = 1;
      WEIR_CRASH_POINT("mutex.damaged");
      check(::pthread_mutex_consistent(&mutex_), "weir: repairing a shared mutex");
      WEIR_CRASH_POINT("mutex.consistent");
      return true;
    case EBUSY:
    case ETIMEDOUT: return false;
    default: check(result, "weir: locking a shared mutex"); return false;
  }
}

void robust_mutex::lock() { lock_result(::pthread_mutex_lock(&mutex_)); }
bool robust_mutex::try_lock() { return lock_result(::pthread_mutex_trylock(&mutex_)); }
void robust_mutex::unlock() noexcept {
  WEIR_CRASH_POINT("mutex.unlocking");
  ::pthread_mutex_unlock(&mutex_);
  WEIR_CRASH_POINT("mutex.unlocked");
}

bool robust_mutex::try_lock_for(std::chrono::nanoseconds length) {
#ifdef __SANITIZE_THREAD__  // GCC's does not see locks taken by pthread_mutex_clocklock()
  using clock = std::chrono::system_clock;
#else
  using clock = std::chrono::steady_clock;
#endif
  const auto until = (clock::now() + length).time_since_epoch();
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(until);
  timespec when{};
  when.tv_sec = whole.count();
  when.tv_nsec = std::chrono::duration_cast<std::chrono::nanoseconds>(until - whole).count();
#ifdef __SANITIZE_THREAD__
  return lock_result(::pthread_mutex_timedlock(&mutex_, &when));
#else
  return lock_result(::pthread_mutex_clocklock(&mutex_, CLOCK_MONOTONIC, &when));
#endif
}

bool robust_mutex::is_sound() const noexcept {
  static const int kKind = [] {
    robust_mutex sample;
    sample.make();
    const int kind = sample.mutex_.__data.__kind;
    ::pthread_mutex_destroy(&sample.mutex_);
    return kind;
  }();
  return __atomic_load_n(&mutex_.__data.__kind, __ATOMIC_RELAXED) == kKind;
}

std::int32_t robust_mutex::holder() const noexcept {
  return __atomic_load_n(&mutex_.__data.__lock, __ATOMIC_RELAXED) & FUTEX_TID_MASK;
}

bool robust_mutex::take_damage() noexcept {
  const bool damaged = damaged_ != 0;
  damaged_ = 0;
  if (damaged) {
    WEIR_CRASH_POINT("mutex.damage.taken");
  }
  return damaged;
}

}  // namespace weir::sync
