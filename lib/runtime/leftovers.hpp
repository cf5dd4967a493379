// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// What dead processes have left in shared memory. Both a session that starts and the command `weir gc` remove it here.
///
/// Removed is what only dead processes held, of this user and this pid namespace:
///   * a session's table, inboxes, results and large messages, when its control process and all its workers are dead;
///   * an unnamed channel that no living process is attached to and no reference keeps. References keep it as long as
///     its session or its creator lives, its name lies in a segment that stays and that handles travel in, or anybody
///     uses a channel of handles (who might just be taking this one out). A reference that a process had taken out, or
///     had not put in yet, when it died keeps nothing longer than that;
///   * an unnamed array, and the segment that goes with an array in a file (not the file), that no process has and no
///     reference keeps, as for channels. Who has an array is seen in every pid namespace;
///   * what was marked as removed by a process that died before it removed the name;
///   * what the processes of a session have recorded (lib/trace), when that session has ended, or its processes are dead;
///     but not by a session that starts, unless it is traced;
///   * damaged segments of a session whose processes are all dead.
/// A name that a user gave stays until the user removes it, whoever is dead. What lies there without being a segment of
/// this layout stays too: whose it is cannot be known. A channel is removed under its lock, and only if nobody has
/// attached since it was looked at.
/// One case is not seen: a `weir::any` of another session's process, taken out of a channel that is no longer in use,
/// and whose handle it has not asked for yet.
namespace weir::runtime {

enum class fate {
  kept,       ///< alive, or a user's name
  undecided,  ///< stays, since it cannot be told whether anybody needs it
  released,   ///< stays, but what dead processes held in it was let go
  removed,
};

struct leftover {
  std::string name;             ///< without `weir.`
  std::string_view kind;        ///< "channel", …; "-": not known
  std::uint64_t bytes = 0;      ///< memory that it takes
  std::int64_t created_ns = 0;  ///< real-time clock; 0: not known
  fate what{};
  std::string why;
  bool is_problem = false;  ///< undecided, and somebody should look at it: damaged, or of another layout
};

struct sweep_options {
  std::function<bool(std::string_view name)> chooses = nullptr;  ///< null: all
  bool releases = true;                                          ///< also in channels that stay
  bool is_dry_run = false;                                       ///< only says what would happen; changes nothing
};

/// Looks at all segments and deals with those that are chosen; says what became of each, but for those that went
/// meanwhile. Waits for nobody. Any number of processes may do this at a time, and die while they do: what one leaves
/// the next one removes. Throws std::bad_alloc.
std::vector<leftover> sweep(const sweep_options& options);

/// Removes what can be removed, and touches nothing else.
void remove_leftovers() noexcept;

}  // namespace weir::runtime
