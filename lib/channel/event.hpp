// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>

#include "weir/detail/fast_path.hpp"
#include "weir/detail/slot_layout.hpp"

/// The sleepers' side of an event (slot_layout.hpp); the wakers' is weir::detail::wake_some().
namespace weir::channels {

/// What is slept on: the epoch, which is the upper half of the word.
[[nodiscard]] const std::uint32_t* futex_of(const event& e) noexcept;
/// Counts one sleeper more. False: there are as many as can be counted (it naps instead).
[[nodiscard]] bool enter(event& e) noexcept;
/// What a sleeper does before it looks: answers the signal that it may have had. Returns the epoch to sleep on.
[[nodiscard]] std::uint32_t listen(event& e) noexcept;
/// Takes one sleeper, and the signal that it may have had, off.
void leave(event& e) noexcept;
/// Sleeps while the epoch is this one, until `until` or kLongestSleep at most. False: that time has come.
bool sleep(const event& e, std::uint32_t epoch, std::chrono::steady_clock::time_point until) noexcept;
/// Has all sleepers look, whether they have been woken already or not.
void rouse(event& e) noexcept;

}  // namespace weir::channels
