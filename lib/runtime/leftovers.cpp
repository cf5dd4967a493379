// SPDX-License-Identifier: BSL-1.0
#include "runtime/leftovers.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <iterator>
#include <optional>
#include <thread>
#include <utility>

#include "array/attach.hpp"
#include "array/users.hpp"
#include "channel/attach.hpp"
#include "runtime/census.hpp"
#include "runtime/referrers.hpp"
#include "segment/names.hpp"
#include "trace/recorder.hpp"
#include "weir/detail/crash_point.hpp"
#include "weir/error.hpp"

namespace weir::runtime {
namespace {

using shm::liveness;
using shm::object_kind;
using processes = std::vector<shm::process_identity>;

/// Long enough for whoever has marked a segment as removed to remove it, if he lives.
constexpr std::chrono::milliseconds kBetweenMarkAndUnlink{2};
constexpr const char* kUnseen = "its processes belong to another pid namespace and cannot be seen from here";

struct judgement {
  fate what = fate::kept;
  std::string why;
  bool only_references =
      false;  ///< references are all that may keep it: whether there are any is still to be found out
  bool is_problem = false;
};

std::string_view text_of(object_kind kind) noexcept {
  switch (kind) {
    case object_kind::channel: return "channel";
    case object_kind::array: return "array";
    case object_kind::session: return "session";
    case object_kind::results: return "results";
    case object_kind::blob: return "blob";
    case object_kind::team: return "team";
    case object_kind::trace: return "trace";
  }
  return "-";
}

std::string pids_of(const processes& who) {
  constexpr std::size_t kMost = 4;
  std::string text;
  for (std::size_t i = 0; i < std::min(who.size(), kMost); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", who[i].pid);
  }
  return who.size() > kMost ? text + ", …" : text;
}

processes those_who_are(liveness life, const processes& all) {
  processes found;
  std::copy_if(all.begin(), all.end(), std::back_inserter(found),
               [&](const auto& who) { return shm::look(who) == life; });
  return found;
}

/// Whether a segment that is marked as removed has its name for longer than a living process needs to take it.
bool stays(const std::string& name) {
  std::this_thread::sleep_for(kBetweenMarkAndUnlink);
  struct stat info {};
  return ::lstat(fmt::format("/dev/shm/{}{}", shm::kFilePrefix, name).c_str(), &info) == 0;
}

class judge {
 public:
  explicit judge(const census& all) : all_(all) {}

  [[nodiscard]] judgement of(const found_segment& s) const {
    if (s.is_foreign) return {fate::undecided, s.why};
    // The name of an array in a file has no realm in it.
    const bool in_file = s.holders && s.name.starts_with(arrays::kFileBoundPrefix);
    const std::string_view realm = in_file ? std::string_view(s.look->header->realm) : realm_in(s.name);
    if (!s.is_sound()) return of_damaged(s, realm);
    if (realm.empty() && s.name.starts_with('@')) return {fate::undecided, "its name is none that weir gives"};
    if (realm.empty()) return {fate::kept, "a user's name: it stays until it is removed"};
    if (s.look->header->removed.load(std::memory_order_relaxed) != 0) {
      return {fate::removed, "whoever was removing it did not finish"};
    }
    switch (s.look->header->kind) {
      case object_kind::channel: return of_channel(s, realm);
      case object_kind::array: return of_array(s, realm);
      default: return of_session(s, realm);
    }
  }

 private:
  /// Damaged, or of another layout.
  [[nodiscard]] judgement of_damaged(const found_segment& s, std::string_view realm) const {
    const session_life* const session = realm.empty() ? nullptr : all_.session_of(realm);
    if (session != nullptr && session->life == liveness::dead) {
      return {fate::removed, fmt::format("damaged ({}), and all processes of its session are dead", s.why)};
    }
    return {fate::undecided, s.why, false, /*is_problem=*/true};
  }

  [[nodiscard]] judgement of_channel(const found_segment& s, std::string_view realm) const {
    const processes& users = s.users->attached;
    if (const processes living = those_who_are(liveness::alive, users); !living.empty()) {
      return {fate::kept, fmt::format("pid {} is attached", pids_of(living))};
    }
    if (!those_who_are(liveness::unknown, users).empty()) return {fate::undecided, kUnseen};
    if (s.look->header->id == 0) return of_session(s, realm);  // an inbox
    if (users.empty()) {
      // Its creator has it and has not said so yet, or has sent it away.
      judgement found = of_creator(s);
      if (found.what != fate::removed) return found;
    }
    const std::string why = users.empty() ? fmt::format("its creator, pid {}, is dead", s.look->header->creator.pid)
                                          : fmt::format("only dead processes are attached: pid {}", pids_of(users));
    if (s.users->pins <= 0) return {fate::removed, why};
    judgement found = of_session(s, realm);
    if (found.what != fate::removed) return found;
    return {fate::removed, why, /*only_references=*/true};
  }

  /// A seat is held by the living only, whatever pid namespace they are in.
  [[nodiscard]] judgement of_array(const found_segment& s, std::string_view realm) const {
    const processes& users = s.holders->attached;
    if (!users.empty()) return {fate::kept, fmt::format("pid {} has it", pids_of(users))};
    if (!s.holders->ever_attached) return of_creator(s);  // who has it and has not said so yet
    const std::string why = "no process has it";
    if (s.holders->pins <= 0) return {fate::removed, why};
    judgement found = of_session(s, realm);
    if (found.what != fate::removed) return found;
    return {fate::removed, why, /*only_references=*/true};
  }

  /// By its session, or, if that has gone, by its creator.
  [[nodiscard]] judgement of_session(const found_segment& s, std::string_view realm) const {
    const session_life* const session = all_.session_of(realm);
    if (session == nullptr) return of_creator(s);
    switch (session->life) {
      case liveness::alive: return {fate::kept, fmt::format("pid {} of its session lives", session->who.pid)};
      case liveness::unknown: return {fate::undecided, kUnseen};
      case liveness::dead: break;
    }
    return {fate::removed, "all processes of its session are dead"};
  }

  [[nodiscard]] static judgement of_creator(const found_segment& s) {
    const shm::process_identity& creator = s.look->header->creator;
    switch (shm::look(creator)) {
      case liveness::alive: return {fate::kept, fmt::format("its creator, pid {}, lives", creator.pid)};
      case liveness::unknown: return {fate::undecided, kUnseen};
      case liveness::dead: break;
    }
    return {fate::removed, fmt::format("its creator, pid {}, is dead", creator.pid)};
  }

  const census& all_;
};

/// Channels that stay, but in which dead processes are entered.
void look_for_the_dead(const found_segment& s, judgement& found) {
  if (found.what != fate::kept || !s.users) return;
  const processes dead = those_who_are(liveness::dead, s.users->attached);
  if (!dead.empty()) found = {fate::released, fmt::format("dead processes are attached: pid {}", pids_of(dead))};
}

/// A channel of handles that a process uses which is not dead; null: there is none. Inboxes do not count: what lies in
/// them stays there to be found until it has long been taken out.
const found_segment* find_busy_carrier(const std::vector<const found_segment*>& kept) {
  for (const found_segment* const s : kept) {
    if (!s->users || !can_hold_handles(*s) || s->look->header->id == 0) continue;
    try {
      // Not as it was found, but now.
      const processes users = channels::users_of(s->name, *s->look).attached;
      if (!std::all_of(users.begin(), users.end(), shm::is_dead)) return s;
    } catch (const corrupt_segment&) {
      return s;
    }
  }
  return nullptr;
}

/// Are there any references to what nothing else keeps? A taker copies an item out of the channel before it attaches what
/// the item refers to; in between nothing is to be seen of the reference but that a living process uses the channel.
void look_for_references(const std::vector<found_segment>& segments, std::vector<judgement>& judgements) {
  std::vector<const found_segment*> wanted;
  std::vector<const found_segment*> kept;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (judgements[i].only_references) wanted.push_back(&segments[i]);
    if (judgements[i].what != fate::removed) kept.push_back(&segments[i]);
  }
  if (wanted.empty()) return;
  const auto index_of = [&](const found_segment* s) { return static_cast<std::size_t>(s - segments.data()); };
  const auto found = find_referred_to(wanted, kept);
  const found_segment* const busy = find_busy_carrier(kept);  // after the search: who has taken one since is seen here
  if (busy != nullptr) {
    const judgement under_way{fate::undecided,
                              fmt::format("a handle to it may be on its way through \"{}\"", busy->name)};
    for (const found_segment* const each : wanted) judgements[index_of(each)] = under_way;
  }
  for (const found_segment* const each : found) {
    judgements[index_of(each)] = {fate::kept, "an item of another segment refers to it"};
  }
}

bool is_marked(const found_segment& s) noexcept {
  return s.is_sound() && s.look->header->removed.load(std::memory_order_relaxed) != 0;
}

bool remove_name(const std::string& name) noexcept {
  try {
    shm::segment::remove("remove", name);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

/// Nothing: somebody else was quicker.
std::optional<judgement> carry_out(const found_segment& s, judgement found, bool session_is_dead) {
  try {
    // Names that begin with '@' are never used twice: what they stand for is what was looked at.
    if ((!s.users && !s.holders) || is_marked(s)) {
      shm::segment::remove("remove", s.name);
      return found;
    }
    if (s.holders) {
      const auto done = detail::remove_abandoned_array(s.name, s.holders->pins);
      if (done == detail::abandoned_array::gone) return std::nullopt;
      if (done == detail::abandoned_array::in_use) return judgement{fate::kept, "somebody has just begun to use it"};
      return found;
    }
    const detail::abandoned done = found.what == fate::removed ? detail::remove_abandoned(s.name, s.users->pins)
                                                               : detail::release_the_dead(s.name);
    if (done == detail::abandoned::gone) return std::nullopt;
    if (done == detail::abandoned::in_use) return judgement{fate::kept, "somebody has just begun to use it"};
  } catch (const not_found&) {
    return std::nullopt;
  } catch (const std::exception& e) {
    // Damaged, but of no use to anybody.
    if (session_is_dead && found.what == fate::removed && remove_name(s.name)) return found;
    return judgement{fate::undecided, e.what(), false, /*is_problem=*/true};
  }
  return found;
}

leftover as_leftover(const found_segment& s, judgement found) {
  leftover out;
  out.name = s.name;
  out.kind = s.look ? text_of(s.look->header->kind) : "-";
  out.bytes = s.bytes;
  out.created_ns = s.look ? s.look->header->created_ns : 0;
  out.what = found.what;
  out.why = std::move(found.why);
  out.is_problem = found.is_problem;
  return out;
}

}  // namespace

std::vector<leftover> sweep(const sweep_options& options) {
  const census all;
  WEIR_CRASH_POINT("sweep.looked");
  const std::vector<found_segment>& segments = all.segments();
  std::vector<judgement> judgements;
  judgements.reserve(segments.size());
  for (const found_segment& each : segments) judgements.push_back(judge(all).of(each));
  look_for_references(segments, judgements);

  std::vector<leftover> out;
  // A session's table goes last, since the rest of the session is judged by it.
  for (const bool tables : {false, true}) {
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const found_segment& s = segments[i];
      const bool is_table = s.look && s.look->header->kind == object_kind::session;
      if (is_table != tables || (options.chooses && !options.chooses(s.name))) continue;
      if (is_marked(s) && !stays(s.name)) continue;
      std::optional<judgement> found = std::move(judgements[i]);
      if (options.releases) look_for_the_dead(s, *found);
      const bool acts = found->what == fate::removed || found->what == fate::released;
      if (acts && !options.is_dry_run) {
        const session_life* const session = all.session_of(realm_in(s.name));
        found = carry_out(s, std::move(*found), session != nullptr && session->life == liveness::dead);
        WEIR_CRASH_POINT("sweep.done_with_one");
      }
      if (found) out.push_back(as_leftover(s, std::move(*found)));
    }
  }
  std::sort(out.begin(), out.end(), [](const leftover& a, const leftover& b) { return a.name < b.name; });
  return out;
}

void remove_leftovers() noexcept {
  try {
    const auto is_weirs_own = [](std::string_view name) {
      if (trace::is_trace_name(name)) return false;  // what is left of another session is still to be read
      return !realm_in(name).empty() || name.starts_with(arrays::kFileBoundPrefix);
    };
    sweep({.chooses = is_weirs_own, .releases = false});
  } catch (const std::exception&) {
    // No memory: the dead can wait.
  }
}

}  // namespace weir::runtime
