// SPDX-License-Identifier: BSL-1.0
#include "sync/patience.hpp"

#include <sched.h>

#include "sync/crowd.hpp"

namespace weir::sync {

// first --it was not crowded--> first, kFirst spins --> spinning, or yielding if it is crowded --> over
bool patience::go_on() noexcept {
  if (stage_ == stage::first) {
    if (most_ == 0 && !was_crowded()) {
      most_ = kFirst;
      return true;
    }
    const bool crowded = is_crowded();
    stage_ = crowded ? stage::yielding : stage::spinning;
    if (crowded) made_ = 0;
    if (crowded && __builtin_ia32_rdtsc() < estimate_.yield_again.load(std::memory_order_relaxed)) {
      stage_ = stage::over;
      return false;
    }
    most_ = crowded ? estimate_.yields.pauses() : estimate_.spins.pauses() / cost_;
    if (made_ < most_) return true;
  }
  if (stage_ == stage::spinning) estimate_.spins.did_not_pay();
  if (stage_ == stage::yielding) estimate_.yields.did_not_pay();
  stage_ = stage::over;
  return false;
}

bool patience::yield() noexcept {
  constexpr std::uint64_t kLong = 2'000'000;  // ticks of the time stamp counter: most of a millisecond
  constexpr std::uint64_t kApart = 2;         // times as long without a yield
  const std::uint64_t before = __builtin_ia32_rdtsc();
  ::sched_yield();
  const std::uint64_t after = __builtin_ia32_rdtsc();
  if (after - before > kLong) {  // somebody computes: a wake-up takes the CPU from him sooner than we got it
    estimate_.yield_again.store(after + kApart * (after - before), std::memory_order_relaxed);
    stage_ = stage::over;
    most_ = made_;
  }
  return true;
}

void patience::paid() noexcept {
  if (stage_ == stage::yielding) {
    estimate_.yields.paid(made_);
  } else if (stage_ != stage::over) {
    estimate_.spins.paid(made_ * cost_);
  }
}

}  // namespace weir::sync
