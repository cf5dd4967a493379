// SPDX-License-Identifier: BSL-1.0
#include "segment/space.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <system_error>

#include "segment/header_layout.hpp"
#include "weir/error.hpp"

namespace weir::shm {
namespace {

constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kLargeRequest = std::size_t{1} << 20;  // from here on it pays to look before asking
constexpr std::size_t kStep = std::size_t{4}
                              << 20;  // one call reserves no more: a signal undoes what one call has done

[[noreturn]] void no_room(std::string_view operation, std::size_t asked, std::size_t free) {
  throw no_space(fmt::format("weir: {}: shared memory is full: {} asked, {} free in /dev/shm", operation,
                             readable(asked), free == kUnlimited ? std::string("an unknown amount") : readable(free)));
}

/// Reserves the first `bytes`, or fewer: how many it says there.
int reserve_step(int fd, std::size_t offset, std::size_t& bytes) noexcept {
  while (::fallocate(fd, 0, static_cast<off_t>(offset), static_cast<off_t>(bytes)) != 0) {
    if (errno != EINTR) return errno;
    // Where signals come thick and fast, before Linux 6.18, only what takes less time than lies between two is done.
    if (bytes > kPage) bytes = std::max(kPage, bytes / 2 / kPage * kPage);
  }
  return 0;
}

}  // namespace

std::string readable(std::size_t bytes) {
  constexpr std::array<const char*, 5> kUnits{"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::size_t free_file_space(int fd) noexcept {
  struct statvfs info {};
  if (::fstatvfs(fd, &info) != 0 || info.f_blocks == 0) return kUnlimited;  // a tmpfs with size=0 has no limit
  return static_cast<std::size_t>(info.f_bavail) * info.f_frsize;
}

std::size_t available_memory() noexcept {
  const int fd = ::open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return kUnlimited;
  std::array<char, 512> text{};
  const ssize_t got = ::read(fd, text.data(), text.size() - 1);
  ::close(fd);
  constexpr const char* kField = "MemAvailable:";
  const char* at = got > 0 ? std::strstr(text.data(), kField) : nullptr;
  return at == nullptr ? kUnlimited : std::strtoull(at + std::strlen(kField), nullptr, 10) * 1024;
}

void reserve_file_space(int fd, std::string_view operation, std::size_t offset, std::size_t bytes) {
  if (bytes == 0) return;
  if (bytes >= kLargeRequest) {
    if (const std::size_t free = free_file_space(fd); bytes > free) no_room(operation, bytes, free);
    if (const std::size_t memory = available_memory(); bytes > memory) {
      throw no_space(fmt::format("weir: {}: memory is full: {} asked, {} available on this machine", operation,
                                 readable(bytes), readable(memory)));
    }
  }
  for (std::size_t done = 0; done < bytes;) {
    std::size_t step = std::min(kStep, bytes - done);
    const int error = reserve_step(fd, offset + done, step);
    if (error == 0) {
      done += step;
      continue;
    }
    const std::size_t free = free_file_space(fd);
    if (done != 0) {
      ::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(done));
    }
    if (error == ENOSPC || error == ENOMEM) no_room(operation, bytes, free);
    throw std::system_error(error, std::generic_category(), fmt::format("weir: {}: reserving memory", operation));
  }
}

}  // namespace weir::shm
