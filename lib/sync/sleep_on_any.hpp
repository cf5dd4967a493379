// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <span>

#include "weir/detail/futex_word.hpp"

namespace weir::sync {

/// Sleeps while each word holds what is expected of it, until `until` of the steady clock, kLongestSleep at most. There
/// is at least one word. Sleeps on all of them with futex_waitv; where the kernel has none (it came with Linux 5.16) or a
/// filter forbids it, and for more words than it takes, sleeps a millisecond at most, on the first.
void sleep_on_any(std::span<const detail::futex_word> words, std::chrono::steady_clock::time_point until) noexcept;

/// For tests. False: as on a kernel without futex_waitv, in this process.
void allow_futex_waitv(bool allowed) noexcept;

}  // namespace weir::sync
