// SPDX-License-Identifier: BSL-1.0
// System calls as the library under test sees them (ld --wrap): mappings have pages before and behind them that must not
// be touched, and sleeps last no time.
#include "fuzz/wrapped_calls.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/types.h>

#include <cerrno>
#include <cstddef>
#include <ctime>
#include <utility>

namespace weir::fuzz {
namespace {

constexpr std::size_t kGuard = std::size_t{1} << 20U;
constexpr std::size_t kPage = 4096;

std::function<void()>& before_read() {
  static std::function<void()> action;
  return action;
}

constexpr std::size_t up_to_page(std::size_t bytes) noexcept { return (bytes + kPage - 1) / kPage * kPage; }

}  // namespace

void set_before_read(std::function<void()> action) { before_read() = std::move(action); }

}  // namespace weir::fuzz

// The names are the linker's.
// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming)
extern "C" {

void* __real_mmap(void* address, std::size_t bytes, int protection, int flags, int file, off_t offset);
int __real_munmap(void* address, std::size_t bytes);
ssize_t __real_pread(int file, void* to, std::size_t bytes, off_t offset);

void* __wrap_mmap(void* address, std::size_t bytes, int protection, int flags, int file, off_t offset) {
  using weir::fuzz::kGuard;
  if (address != nullptr || file < 0 || bytes == 0) {
    return __real_mmap(address, bytes, protection, flags, file, offset);
  }
  const std::size_t whole = weir::fuzz::up_to_page(bytes) + 2 * kGuard;
  if (whole < bytes) return errno = ENOMEM, MAP_FAILED;
  constexpr int kNothing = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* const guarded = __real_mmap(nullptr, whole, PROT_NONE, kNothing, -1, 0);
  if (guarded == MAP_FAILED) return guarded;
  void* const inside = static_cast<std::byte*>(guarded) + kGuard;
  if (__real_mmap(inside, bytes, protection, flags | MAP_FIXED, file, offset) == inside) return inside;
  const int error = errno;
  __real_munmap(guarded, whole);
  return errno = error, MAP_FAILED;
}

/// The library maps files only, each whole.
int __wrap_munmap(void* address, std::size_t bytes) {
  using weir::fuzz::kGuard;
  return __real_munmap(static_cast<std::byte*>(address) - kGuard, weir::fuzz::up_to_page(bytes) + 2 * kGuard);
}

ssize_t __wrap_pread(int file, void* to, std::size_t bytes, off_t offset) {
  static bool is_acting = false;  // the action reads too
  if (const auto& action = weir::fuzz::before_read(); action && !is_acting) {
    is_acting = true;
    action();
    is_acting = false;
  }
  return __real_pread(file, to, bytes, offset);
}

int __wrap_nanosleep(const timespec* /*length*/, timespec* /*left*/) { return 0; }

/// Who waits for a lock waits in vain at once: the only thread is the one that waits. A lock that is said to be held in
/// another pid namespace is waited for without end (README.md); here the wait ends as for a lock that is given up.
int __wrap_pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t /*clock*/, const timespec* /*until*/) {
  constexpr int kMostInARow = 50;
  static int waits = 0;
  const int result = ::pthread_mutex_trylock(mutex);
  waits = result == EBUSY ? waits + 1 : 0;
  if (waits < kMostInARow) return result == EBUSY ? ETIMEDOUT : result;
  waits = 0;
  return ENOTRECOVERABLE;
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)
