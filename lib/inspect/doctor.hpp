// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/report.hpp"

/// Whether this machine gives weir what it needs. Looks, and changes nothing.
namespace weir::inspect {

enum class severity { ok, warning, problem };
[[nodiscard]] const char* text_of(severity level) noexcept;

struct finding {
  std::string check;  ///< "memory", "inodes", …: a word that stays
  severity level{};
  std::string found;  ///< in words
  std::string mend;   ///< the command that mends it; empty: nothing is wrong, or no command does
};

/// The file system that segments lie in.
struct memory_facts {
  bool is_there = false;
  bool is_tmpfs = false;
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;
  std::uint64_t inodes = 0;  ///< 0: it does not count them
  std::uint64_t free_inodes = 0;
  std::string options;                   ///< of its mount: "rw,nosuid,nodev"; empty: not known
  std::uint64_t cgroup_limit_bytes = 0;  ///< 0: none
  std::uint64_t cgroup_used_bytes = 0;
  std::uint64_t machine_bytes = 0;  ///< memory of the machine; 0: not known
};
[[nodiscard]] memory_facts look_at_memory();
[[nodiscard]] std::vector<finding> judge_memory(const memory_facts& facts);

/// Limits of this process, which are those of programs started from the same shell. Nothing: unlimited.
struct limit_facts {
  std::optional<std::uint64_t> open_files;
  std::optional<std::uint64_t> processes;
  std::optional<std::uint64_t> address_space;
  std::optional<std::uint64_t> locked_memory;
  std::optional<std::uint64_t> file_size;
  int overcommit = 0;  ///< vm.overcommit_memory; -1: not known
};
[[nodiscard]] limit_facts look_at_limits();
[[nodiscard]] std::vector<finding> judge_limits(const limit_facts& facts);

struct kernel_facts {
  std::string release;
  bool has_pidfd_open = false;
  bool has_waitid_pidfd = false;
  bool has_robust_futexes = false;
  bool has_file_description_locks = false;
  bool has_futex_waitv = false;
  bool has_membarrier = false;
  bool has_proc = false;
  bool is_proc_ours = false;  ///< it numbers processes as this pid namespace does
  std::string hidepid;        ///< mount option of /proc; empty: none
};
[[nodiscard]] kernel_facts look_at_kernel();
[[nodiscard]] std::vector<finding> judge_kernel(const kernel_facts& facts);

[[nodiscard]] std::vector<finding> judge_segments(std::span<const segment_report> segments);

/// All of it.
[[nodiscard]] std::vector<finding> examine();

/// Options of what is mounted at `path`, from the text of /proc/self/mountinfo: those of the mount, then those of the file
/// system; empty: nothing is.
[[nodiscard]] std::string mount_options_in(std::string_view mountinfo, std::string_view path);

}  // namespace weir::inspect
