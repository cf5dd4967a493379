// SPDX-License-Identifier: BSL-1.0
#include "sync/crowd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace weir::sync {
namespace {

constexpr std::uint64_t kLookEvery = 10'000'000;  // ticks of the time stamp counter, a few milliseconds
// Crowded: ready without running for more than a twentieth of the time; until it is less than a hundredth.
constexpr int kBegin = 20;
constexpr int kEnd = 100;

/// The second number of the file: nanoseconds that the calling thread was ready and did not run. 0: not known.
std::int64_t ready_ns() noexcept {
  const int file = ::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  std::array<char, 96> bytes{};
  const ssize_t got = ::read(file, bytes.data(), bytes.size());
  ::close(file);
  const std::string_view text(bytes.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  const std::size_t space = text.find(' ');
  std::int64_t number = 0;
  if (space != std::string_view::npos) std::from_chars(text.data() + space + 1, text.data() + text.size(), number);
  return number;
}

struct look {
  std::uint64_t ticks = 0;
  std::chrono::steady_clock::time_point time;
  std::int64_t ready_ns = 0;
  bool crowded = false;
};
thread_local look tl_last;

}  // namespace

bool was_crowded() noexcept { return tl_last.crowded; }

bool is_crowded() noexcept {
  look& last = tl_last;
  const std::uint64_t ticks = __builtin_ia32_rdtsc();
  if (ticks - last.ticks < kLookEvery) return last.crowded;
  const auto time = std::chrono::steady_clock::now();
  const std::int64_t ready = ready_ns();
  const std::int64_t waited = ready - last.ready_ns;
  const auto passed = std::chrono::duration_cast<std::chrono::nanoseconds>(time - last.time).count();
  last = {ticks, time, ready, last.ticks != 0 && waited > passed / (last.crowded ? kEnd : kBegin)};
  return last.crowded;
}

}  // namespace weir::sync
