// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <type_traits>

namespace weir::shm {

/// A process, told apart from a later one with the same pid by its start time. Lies in shared memory as it is.
/// byte 0 pid, 4 pid_namespace (low 32 bits of its inode, with those of an own time namespace mixed in; a pid means
/// nothing in another one, nor does a start time),
/// 8 start_time (clock ticks since boot, field 22 of /proc/PID/stat). All zero: nobody.
struct process_identity {
  std::int32_t pid = 0;
  std::uint32_t pid_namespace = 0;
  std::uint64_t start_time = 0;
  friend bool operator==(const process_identity&, const process_identity&) = default;
};
static_assert(sizeof(process_identity) == 16 && std::is_trivially_copyable_v<process_identity>);

/// This process. Cached; correct in a forked child too. Throws std::system_error without /proc, no_space.
[[nodiscard]] process_identity this_process();

/// Identity of a running process by its pid; all zero if there is none.
[[nodiscard]] process_identity identify(std::int32_t pid);

enum class liveness { alive, dead, unknown };
/// Stopped is alive; a zombie is dead; a process of another pid namespace is unknown. Nobody is dead.
[[nodiscard]] liveness look(const process_identity& who);
/// True only if it is certainly dead: what may be robbed.
[[nodiscard]] inline bool is_dead(const process_identity& who) { return look(who) == liveness::dead; }

/// Whether that thread (of our namespace) has mapped the file of that number; a thread that does not exist has not.
enum class mapping { has, has_not, unknown };
[[nodiscard]] mapping look_for_mapping(std::int32_t thread, std::uint64_t file_number);
/// Whether that is a thread of that process.
[[nodiscard]] bool is_thread_of(std::int32_t thread, std::int32_t pid) noexcept;

}  // namespace weir::shm
