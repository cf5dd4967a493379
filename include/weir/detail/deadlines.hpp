// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>

#include "weir/detail/channel_core.hpp"

/// From the clocks and durations of callers to the one clock of the core.
namespace weir::detail {

template <class Duration>
[[nodiscard]] deadline to_deadline(std::chrono::time_point<deadline::clock, Duration> when) {
  using seconds = std::chrono::duration<double>;  // no time point is too far for it
  const double left =
      seconds(when.time_since_epoch()).count() - seconds(deadline::clock::now().time_since_epoch()).count();
  constexpr double kLongest = 1e9;  // 31 years
  if (left >= kLongest) return deadline::never();
  if (left <= 0) return deadline::at_once();
  return deadline::at(std::chrono::ceil<deadline::clock::duration>(when));
}

/// attempt(deadline), until it gives a result that is true or `when` has come. A clock that can be set is looked at
/// again every 50 ms, so that a wait neither ends early nor hangs when it is.
template <class Clock, class Duration, class Attempt>
[[nodiscard]] auto until(std::chrono::time_point<Clock, Duration> when, Attempt&& attempt) {
  if constexpr (std::is_same_v<Clock, deadline::clock>) {
    return attempt(to_deadline(when));
  } else {
    using seconds = std::chrono::duration<double>;
    constexpr seconds kSlice{0.05};
    for (;;) {
      const seconds left = seconds(when.time_since_epoch()) - seconds(Clock::now().time_since_epoch());
      auto result = attempt(deadline::after(std::min(left, kSlice)));
      if (result || Clock::now() >= when) return result;
    }
  }
}

}  // namespace weir::detail
