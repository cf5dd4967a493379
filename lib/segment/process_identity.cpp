// SPDX-License-Identifier: BSL-1.0
#include "segment/process_identity.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

#include "sync/immortal.hpp"
#include "weir/error.hpp"

namespace weir::shm {
namespace {

struct process_stat {
  char state = 0;
  long threads = 0;
  std::uint64_t start_time = 0;
};

enum class lookup { found, absent, not_known };

using path_text = std::array<char, 40>;
/// `{}` in the format is the number.
path_text path_of(fmt::format_string<std::int32_t&> format, std::int32_t number) noexcept {
  path_text path{};
  fmt::vformat_to_n(path.data(), path.size() - 1, format, fmt::make_format_args(number));
  return path;
}

/// The beginning of a file of /proc, ending in a 0.
template <std::size_t Bytes>
lookup read_proc(const path_text& path, std::array<char, Bytes>& text) noexcept {
  const int fd = ::open(path.data(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? lookup::absent : lookup::not_known;
  ssize_t got = 0;
  do {
    got = ::read(fd, text.data(), text.size() - 1);
  } while (got < 0 && errno == EINTR);
  const int read_errno = errno;
  ::close(fd);
  if (got <= 0) return got < 0 && read_errno == ESRCH ? lookup::absent : lookup::not_known;
  text[static_cast<std::size_t>(got)] = '\0';
  return lookup::found;
}

/// Fields 3, 20 and 22 of a stat file (proc(5)); they are counted from the last ')', since field 2 is the program's
/// name and may hold anything.
lookup read_stat(const path_text& path, process_stat& out) noexcept {
  std::array<char, 1024> text;
  if (const lookup read = read_proc(path, text); read != lookup::found) return read;
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

/// Whether /proc numbers processes as this process's pid namespace does, and not as one outside it, which `unshare
/// --pid` leaves mounted. There the kernel says the numbers of all namespaces from that one on.
bool is_proc_of_this_namespace() noexcept {
  std::array<char, 4096> text;
  if (read_proc(path_text{"/proc/self/status"}, text) != lookup::found) return true;
  const char* line = std::strstr(text.data(), "\nNSpid:\t");
  if (line == nullptr) return true;  // a kernel without pid namespaces
  line += std::strlen("\nNSpid:\t");
  return std::string_view(line, std::strcspn(line, "\n")).find('\t') == std::string_view::npos;
}

/// The number by which /proc, of another namespace, shows a process of this one.
lookup find_in_proc(std::int32_t& pid) noexcept {
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) return errno == ESRCH ? lookup::absent : lookup::not_known;
  std::array<char, 512> text;
  const lookup read = read_proc(path_of("/proc/self/fdinfo/{}", pidfd), text);
  ::close(pidfd);
  const char* line = read == lookup::found ? std::strstr(text.data(), "\nPid:\t") : nullptr;
  if (line == nullptr) return lookup::not_known;
  pid = static_cast<std::int32_t>(std::strtol(line + std::strlen("\nPid:\t"), nullptr, 10));
  if (pid < 0) return lookup::absent;  // reaped meanwhile
  return pid == 0 ? lookup::not_known : lookup::found;
}

/// Pids and start times can be compared within one pid and one time namespace, so one number stands for both.
std::uint32_t read_namespaces() noexcept {
  struct stat pid {};
  struct stat time {};
  if (::stat("/proc/self/ns/pid", &pid) != 0) return 0;
  constexpr std::uint32_t kInitialTime = 0xeffffffa;
  if (::stat("/proc/self/ns/time", &time) != 0) return static_cast<std::uint32_t>(pid.st_ino);
  const std::uint32_t other_time = static_cast<std::uint32_t>(time.st_ino) ^ kInitialTime;
  return static_cast<std::uint32_t>(pid.st_ino) ^ (other_time << 8U | other_time >> 24U);
}

struct self_cache {
  std::mutex mutex;
  std::optional<process_identity> known;
  bool is_proc_ours = true;  // as long as it is known
};

self_cache& cache() {
  // It is asked for while the process ends.
  static sync::immortal<self_cache> made([] {
    ::pthread_atfork([] { cache().mutex.lock(); }, [] { cache().mutex.unlock(); },
                     [] {
                       cache().known.reset();
                       cache().mutex.unlock();
                     });
  });
  return *made;
}

}  // namespace

process_identity this_process() {
  self_cache& here = cache();
  const std::scoped_lock lock(here.mutex);
  if (!here.known) {
    process_stat stat;
    errno = 0;
    if (read_stat(path_text{"/proc/self/stat"}, stat) != lookup::found) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
        throw no_space("weir: cannot read /proc/self/stat: " + std::generic_category().message(errno));
      }
      throw std::system_error(ENOENT, std::generic_category(), "weir: cannot read /proc/self/stat (is /proc mounted?)");
    }
    here.is_proc_ours = is_proc_of_this_namespace();
    here.known = process_identity{::getpid(), read_namespaces(), stat.start_time};
  }
  return *here.known;
}

namespace {

/// Of a process of this namespace.
lookup read_stat_of(std::int32_t pid, process_stat& out) {
  static_cast<void>(this_process());
  if (!cache().is_proc_ours) {
    if (const lookup found = find_in_proc(pid); found != lookup::found) return found;
  }
  return read_stat(path_of("/proc/{}/stat", pid), out);
}

}  // namespace

process_identity identify(std::int32_t pid) {
  process_stat stat;
  if (read_stat_of(pid, stat) != lookup::found) return {};
  return {pid, this_process().pid_namespace, stat.start_time};
}

liveness look(const process_identity& who) {
  if (who.pid == 0) return liveness::dead;
  const process_identity self = this_process();
  if (who == self) return liveness::alive;
  if (who.pid_namespace != self.pid_namespace) return liveness::unknown;
  process_stat stat;
  switch (read_stat_of(who.pid, stat)) {
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
