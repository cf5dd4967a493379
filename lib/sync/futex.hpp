// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

/// Shared (not process-private) futexes; std::atomic::wait uses private ones, which do not cross processes.
namespace weir::sync {

/// No sleep is longer: whoever sleeps looks again after this, so that a wake-up lost to a kill costs no more.
inline constexpr std::chrono::milliseconds kLongestSleep{100};

enum class sleep_result { woken, timed_out };  // woken: or the value differed, or a signal came; look again

/// Sleeps while `word` holds `expected`, until `until` of the steady clock at most (and kLongestSleep at most).
sleep_result sleep_on(const std::uint32_t* word, std::uint32_t expected,
                      std::chrono::steady_clock::time_point until) noexcept;
/// Wakes at most `count` sleepers; returns how many there were.
int wake_sleepers(const std::uint32_t* word, int count) noexcept;

/// The same of whole atomic words: the kernel sees the bare word.
static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));
inline const std::uint32_t* address_of(const std::atomic<std::uint32_t>& word) noexcept {
  return reinterpret_cast<const std::uint32_t*>(&word);
}
inline sleep_result sleep_on(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                             std::chrono::steady_clock::time_point until) noexcept {
  return sleep_on(address_of(word), expected, until);
}
inline int wake_sleepers(const std::atomic<std::uint32_t>& word, int count) noexcept {
  return wake_sleepers(address_of(word), count);
}

/// One pause of a spinning thread.
inline void relax() noexcept { __builtin_ia32_pause(); }

}  // namespace weir::sync
