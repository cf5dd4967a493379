// SPDX-License-Identifier: BSL-1.0
#include "sync/sleep_on_any.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <ctime>

#include "sync/futex.hpp"

namespace weir::sync {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kNap{1};
std::atomic<bool> g_has_waitv{true};

/// False: it cannot be done this way.
bool sleep_on_all(std::span<const detail::futex_word> words, clock::time_point until) noexcept {
  std::array<futex_waitv, FUTEX_WAITV_MAX> waiters;
  for (std::size_t i = 0; i < words.size(); ++i) {
    waiters[i] = {};
    waiters[i].val = words[i].expected;
    waiters[i].uaddr = reinterpret_cast<std::uintptr_t>(words[i].at);
    waiters[i].flags = FUTEX_32;  // and not FUTEX_PRIVATE_FLAG
  }
  const auto since_boot = until.time_since_epoch();
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
  timespec when{};
  when.tv_sec = whole.count();
  when.tv_nsec = std::chrono::duration_cast<std::chrono::nanoseconds>(since_boot - whole).count();
  if (::syscall(SYS_futex_waitv, waiters.data(), words.size(), 0, &when, CLOCK_MONOTONIC) >= 0) return true;
  if (errno == EAGAIN || errno == EINTR || errno == ETIMEDOUT) return true;
  if (errno == ENOSYS || errno == EPERM) g_has_waitv.store(false, std::memory_order_relaxed);
  return false;
}

}  // namespace

void sleep_on_any(std::span<const detail::futex_word> words, clock::time_point until) noexcept {
  const detail::futex_word& first = words.front();
  if (words.size() == 1) {
    sleep_on(first.at, first.expected, until);
    return;
  }
  const auto now = clock::now();
  if (until <= now) return;
  if (words.size() <= FUTEX_WAITV_MAX && g_has_waitv.load(std::memory_order_relaxed) &&
      sleep_on_all(words, until - now < kLongestSleep ? until : now + kLongestSleep)) {
    return;
  }
  sleep_on(first.at, first.expected, std::min(until, now + kNap));
}

void allow_futex_waitv(bool allowed) noexcept { g_has_waitv.store(allowed, std::memory_order_relaxed); }

}  // namespace weir::sync
