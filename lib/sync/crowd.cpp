// SPDX-License-Identifier: BSL-1.0
#include "sync/crowd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace weir::sync {
namespace {

constexpr std::uint64_t kLookEvery = 10'000'000;  // ticks of the time stamp counter, a few milliseconds

/// How many threads run or want to: the 4th field of /proc/loadavg, "RUNNING/ALL" (proc(5)). 0: not known.
int runners() noexcept {
  const int file = ::open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  std::array<char, 128> bytes{};
  const ssize_t got = ::read(file, bytes.data(), bytes.size());
  ::close(file);
  std::string_view text(bytes.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return 0;
  text = text.substr(0, slash);
  text.remove_prefix(text.rfind(' ') + 1);
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

bool is_crowded() noexcept {
  static const long cpus = ::sysconf(_SC_NPROCESSORS_ONLN);
  static std::atomic<std::uint64_t> looked{0};
  static std::atomic<bool> was_crowded{false};
  static std::atomic<bool> crowded{false};
  const std::uint64_t now = __builtin_ia32_rdtsc();
  std::uint64_t last = looked.load(std::memory_order_relaxed);
  if (now - last >= kLookEvery && looked.compare_exchange_strong(last, now, std::memory_order_relaxed)) {
    // Twice in a row, so that a passing process does not put everybody to sleep.
    const bool is = runners() > cpus;
    crowded.store(is && was_crowded.load(std::memory_order_relaxed), std::memory_order_relaxed);
    was_crowded.store(is, std::memory_order_relaxed);
  }
  return crowded.load(std::memory_order_relaxed);
}

}  // namespace weir::sync
