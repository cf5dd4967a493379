// SPDX-License-Identifier: BSL-1.0
#include "segment/process_identity.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <mutex>
#include <optional>
#include <string_view>
#include <system_error>

namespace weir::shm {
namespace {

struct process_stat {
  char state = 0;
  long threads = 0;
  std::uint64_t start_time = 0;
};

enum class lookup { found, absent, not_known };

/// Fields 3, 20 and 22 of /proc/PID/stat (proc(5)); they are counted from the last ')', since field 2 is the program's
/// name and may hold anything.
lookup read_stat(std::int32_t pid, process_stat& out) noexcept {
  std::array<char, 32> path{};
  *fmt::format_to_n(path.data(), path.size() - 1, "/proc/{}/stat", pid).out = '\0';
  const int fd = ::open(path.data(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? lookup::absent : lookup::not_known;
  std::array<char, 1024> text{};
  ssize_t got = 0;
  do {
    got = ::read(fd, text.data(), text.size() - 1);
  } while (got < 0 && errno == EINTR);
  const int read_errno = errno;
  ::close(fd);
  if (got <= 0) return got < 0 && read_errno == ESRCH ? lookup::absent : lookup::not_known;
  const char* at = std::strrchr(text.data(), ')');
  if (at == nullptr) return lookup::not_known;
  ++at;
  for (int field = 3; field <= 22; ++field) {
    while (*at == ' ') ++at;
    if (*at == '\0') return lookup::not_known;
    if (field == 3) out.state = *at;
    if (field == 20) out.threads = std::strtol(at, nullptr, 10);
    if (field == 22) out.start_time = std::strtoull(at, nullptr, 10);
    while (*at != ' ' && *at != '\0') ++at;
  }
  return lookup::found;
}

std::uint32_t read_pid_namespace() noexcept {
  struct stat info {};
  return ::stat("/proc/self/ns/pid", &info) == 0 ? static_cast<std::uint32_t>(info.st_ino) : 0;
}

struct self_cache {
  std::mutex mutex;
  std::optional<process_identity> known;
};

self_cache& cache() {
  static self_cache* const made = [] {
    auto* fresh = new self_cache;  // never destroyed: asked for while the process ends
    ::pthread_atfork([] { cache().mutex.lock(); }, [] { cache().mutex.unlock(); },
                     [] {
                       cache().known.reset();
                       cache().mutex.unlock();
                     });
    return fresh;
  }();
  return *made;
}

}  // namespace

process_identity this_process() {
  self_cache& here = cache();
  const std::scoped_lock lock(here.mutex);
  if (!here.known) {
    process_stat stat;
    const std::int32_t pid = ::getpid();
    if (read_stat(pid, stat) != lookup::found) {
      throw std::system_error(ENOENT, std::generic_category(), "weir: cannot read /proc/self/stat (is /proc mounted?)");
    }
    here.known = process_identity{pid, read_pid_namespace(), stat.start_time};
  }
  return *here.known;
}

process_identity identify(std::int32_t pid) {
  process_stat stat;
  if (read_stat(pid, stat) != lookup::found) return {};
  return {pid, this_process().pid_namespace, stat.start_time};
}

liveness look(const process_identity& who) {
  if (who.pid == 0) return liveness::dead;
  const process_identity self = this_process();
  if (who == self) return liveness::alive;
  if (who.pid_namespace != self.pid_namespace) return liveness::unknown;
  process_stat stat;
  switch (read_stat(who.pid, stat)) {
    case lookup::absent: return liveness::dead;
    case lookup::not_known: return liveness::unknown;
    case lookup::found: break;
  }
  if (stat.start_time != who.start_time) return liveness::dead;
  // A zombie whose other threads still run (its first thread returned early) is not dead yet.
  const bool ended = stat.state == 'X' || (stat.state == 'Z' && stat.threads <= 1);
  return ended ? liveness::dead : liveness::alive;
}

mapping look_for_mapping(std::int32_t thread, std::uint64_t file_number) {
  const std::string path = fmt::format("/proc/{}/maps", thread);  // proc(5)
  std::ifstream maps(path);
  if (!maps) return ::access(path.c_str(), F_OK) == 0 ? mapping::unknown : mapping::has_not;
  std::string range;
  std::string permissions;
  std::string offset;
  std::string device;
  std::uint64_t inode = 0;
  while (maps >> range >> permissions >> offset >> device >> inode) {
    if (inode == file_number) return mapping::has;
    maps.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return maps.bad() ? mapping::unknown : mapping::has_not;
}

bool is_thread_of(std::int32_t thread, std::int32_t pid) noexcept {
  std::array<char, 48> path{};
  *fmt::format_to_n(path.data(), path.size() - 1, "/proc/{}/task/{}", pid, thread).out = '\0';
  return ::access(path.data(), F_OK) == 0;
}

}  // namespace weir::shm
