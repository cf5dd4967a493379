// SPDX-License-Identifier: BSL-1.0
// What `doctor` looks at.
#include <fcntl.h>
#include <fmt/core.h>
#include <linux/futex.h>
#include <linux/magic.h>
#include <linux/membarrier.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>

#include "inspect/doctor.hpp"
#include "inspect/process.hpp"
#include "segment/segment.hpp"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

namespace weir::inspect {
namespace {

constexpr const char* kMemory = "/dev/shm";
constexpr idtype_t kPidfd = static_cast<idtype_t>(3);  // P_PIDFD, which older headers do not have

std::optional<std::uint64_t> limit_of(decltype(RLIMIT_NOFILE) what) {
  rlimit limit{};
  if (::getrlimit(what, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return limit.rlim_cur;
}

/// A number in a file; 0: there is none ("max").
std::uint64_t number_in(const std::string& path) {
  const std::string text = read_text_file(path);
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// The least limit from this process's control group up; version 2, then 1.
void look_at_cgroup(memory_facts& out) {
  const std::string text = read_text_file("/proc/self/cgroup");
  constexpr std::string_view kUnified = "0::";
  const std::size_t at = text.rfind(kUnified);
  std::string group = at == std::string::npos ? "" : text.substr(at + kUnified.size());
  group.resize(std::min(group.find('\n'), group.size()));
  for (;;) {
    const std::string folder = "/sys/fs/cgroup" + (group == "/" ? std::string() : group);
    const std::uint64_t limit = number_in(folder + "/memory.max");
    if (limit != 0 && (out.cgroup_limit_bytes == 0 || limit < out.cgroup_limit_bytes)) {
      out.cgroup_limit_bytes = limit;
      out.cgroup_used_bytes = number_in(folder + "/memory.current");
    }
    if (group.empty() || group == "/") break;
    group.resize(group.rfind('/'));
  }
  if (out.cgroup_limit_bytes != 0) return;
  const std::uint64_t old = number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes");
  constexpr std::uint64_t kNone = std::uint64_t{1} << 60U;
  if (old == 0 || old >= kNone) return;
  out.cgroup_limit_bytes = old;
  out.cgroup_used_bytes = number_in("/sys/fs/cgroup/memory/memory.usage_in_bytes");
}

/// A system call that is there complains of nonsense in its own words.
bool is_known(long result) noexcept { return result >= 0 || (errno != ENOSYS && errno != EPERM); }

}  // namespace

memory_facts look_at_memory() {
  memory_facts out;
  struct statvfs space {};
  struct statfs type {};
  out.is_there = ::statvfs(kMemory, &space) == 0 && ::statfs(kMemory, &type) == 0;
  if (!out.is_there) return out;
  out.is_tmpfs = type.f_type == TMPFS_MAGIC || type.f_type == RAMFS_MAGIC;
  out.total_bytes = std::uint64_t{space.f_blocks} * space.f_frsize;
  out.free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
  out.inodes = space.f_files;
  out.free_inodes = space.f_favail;
  out.options = mount_options_in(read_text_file("/proc/self/mountinfo", std::size_t{1} << 20U), kMemory);
  look_at_cgroup(out);
  struct sysinfo machine {};
  if (::sysinfo(&machine) == 0) out.machine_bytes = std::uint64_t{machine.totalram} * machine.mem_unit;
  return out;
}

limit_facts look_at_limits() {
  limit_facts out;
  out.open_files = limit_of(RLIMIT_NOFILE);
  out.processes = limit_of(RLIMIT_NPROC);
  out.address_space = limit_of(RLIMIT_AS);
  out.locked_memory = limit_of(RLIMIT_MEMLOCK);
  out.file_size = limit_of(RLIMIT_FSIZE);
  const std::string overcommit = read_text_file("/proc/sys/vm/overcommit_memory");
  out.overcommit = overcommit.empty() ? -1 : std::atoi(overcommit.c_str());
  return out;
}

kernel_facts look_at_kernel() {
  kernel_facts out;
  utsname names{};
  if (::uname(&names) == 0) out.release = names.release;
  const shm::unique_fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  out.has_pidfd_open = static_cast<bool>(pidfd);
  siginfo_t info{};
  out.has_waitid_pidfd =
      pidfd && (::waitid(kPidfd, static_cast<id_t>(pidfd.get()), &info, WEXITED | WNOHANG) == 0 || errno == ECHILD);
  void* list = nullptr;
  std::size_t length = 0;
  out.has_robust_futexes = ::syscall(SYS_get_robust_list, 0, &list, &length) == 0;
  const shm::unique_fd any(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  struct flock lock {};
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  out.has_file_description_locks = any && ::fcntl(any.get(), F_OFD_GETLK, &lock) == 0;
  out.has_futex_waitv = is_known(::syscall(SYS_futex_waitv, nullptr, 0, 0, nullptr, 0));
  out.has_membarrier = ::syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0) > 0;
  const std::string status = read_text_file("/proc/self/status");
  out.has_proc = !status.empty();
  const std::size_t own = status.find("\nNSpid:\t");
  const std::size_t end = own == std::string::npos ? own : status.find('\n', own + 1);
  out.is_proc_ours = own == std::string::npos || status.substr(own + 8, end - own - 8).find('\t') == std::string::npos;
  const std::string options = mount_options_in(read_text_file("/proc/self/mountinfo", std::size_t{1} << 20U), "/proc");
  constexpr std::string_view kHide = "hidepid=";
  if (const std::size_t at = options.find(kHide); at != std::string::npos) {
    out.hidepid = options.substr(at + kHide.size(), options.find(',', at) - at - kHide.size());
  }
  return out;
}

}  // namespace weir::inspect
