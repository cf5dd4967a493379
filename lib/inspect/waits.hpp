// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/array.hpp"
#include "inspect/channel.hpp"
#include "inspect/live.hpp"
#include "inspect/session.hpp"
#include "inspect/team.hpp"

namespace weir::inspect {

enum class wait_what {
  item,          ///< a channel's: to take
  room,          ///< a channel's: to put
  block,         ///< a channel's: memory for a large item
  pickup,        ///< somebody to take what is handed over (a channel without capacity)
  result,        ///< the answer of a call
  map,           ///< any answer of a map's calls
  array_lock,    ///< somebody has the array's lock
  array_shared,  ///< somebody shares it
  array_resize,  ///< somebody resizes it
  team,          ///< other ranks of a team
  worker_start,  ///< a worker that is being started
  workers,       ///< several workers to come, or to end
  output,        ///< what was printed to be read by the control process
  inbox,         ///< room in a process's inbox
};
/// "item", "result", …: names for scripts, which stay.
[[nodiscard]] const char* text_of(wait_what what) noexcept;

/// A thread that sleeps in weir, and one of the things that it waits for: a select has an entry for each of its cases.
struct wait_report {
  wait_what what{};
  shm::process_identity who;
  std::string realm;       ///< of the waiter's session; empty: it has none that can be seen
  process_id process = 0;  ///< its number there; 0: none
  std::int32_t thread = 0;
  std::int64_t since_ns = 0;  ///< monotonic clock
  std::int64_t until_ns = 0;  ///< 0: no end
  std::string object;         ///< name of the channel, array or team, without `weir.`
  process_id of = 0;          ///< result: who is to answer; worker_start; inbox: whose
  process_id owner = 0;       ///< result: whose results take it
  std::uint32_t slot = 0;     ///< result: there; map: calls under way; team: the waiter's rank
  std::uint32_t generation = 0;
  std::string text;  ///< what for, in words: `to take from "jobs"`
};

/// A session as `ps`, `top` and `why` see it.
struct live_session {
  session_report report;
  std::string realm;
  std::vector<live_report> live;  ///< one for each of report.processes; empty for one that does not live
};

/// Everything of weir's that can be waited for, and who does. What changes meanwhile may be seen half old, half new.
struct live_look {
  std::int64_t taken_ns = 0;  ///< monotonic clock
  std::vector<live_session> sessions;
  std::vector<channel_report> channels;  ///< those that can be read, as everything below
  std::vector<array_report> arrays;
  std::vector<team_report> teams;
  std::vector<wait_report> waits;  ///< of the living, the longest first; without those of idle threads

  /// The session and number of a process; null: it is in none.
  struct membership {
    const live_session* session = nullptr;
    const session_process_report* process = nullptr;
  };
  [[nodiscard]] membership member_of(const shm::process_identity& who) const;
  /// Null: it has no process of that number.
  static const session_process_report* find(const live_session& session, process_id id);
};

/// Looks at all of this user's segments. Takes no lock, maps nothing.
[[nodiscard]] live_look look_at_everything();

/// The same without channels: sessions, teams and arrays, and the waits that the sessions' tables tell
/// of. Of the segments of these names.
[[nodiscard]] live_look look_at_sessions(const std::vector<std::string>& names);

/// What a thread that sleeps on a channel waits for, in words.
[[nodiscard]] std::string channel_wait_text(channels::waits_for what, std::string_view channel);

/// Realm in the name `@REALM.word…`; empty: the name is a user's.
[[nodiscard]] std::string_view realm_in(std::string_view name) noexcept;
/// What follows the realm: `inbox.2`; empty: the name is a user's.
[[nodiscard]] std::string_view word_in(std::string_view name) noexcept;
/// The inbox of a process, which its listener waits on when it has nothing to do; 0: not an inbox.
[[nodiscard]] process_id owner_of_inbox(std::string_view name) noexcept;

}  // namespace weir::inspect
