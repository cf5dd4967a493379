// SPDX-License-Identifier: BSL-1.0
#include "inspect/waits.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <set>
#include <utility>

namespace weir::inspect {
namespace {

using thread_key = std::pair<std::int32_t, std::int32_t>;  // pid, thread

std::string name_text(process_id id) {
  return id == kControlProcess ? std::string("the control process") : fmt::format("worker {}", id);
}

wait_what what_of(channels::waits_for what) noexcept {
  switch (what) {
    case channels::waits_for::room: return wait_what::room;
    case channels::waits_for::block: return wait_what::block;
    case channels::waits_for::pickup: return wait_what::pickup;
    default: return wait_what::item;
  }
}

wait_what what_of(sync::wait_kind what) noexcept {
  switch (what) {
    case sync::wait_kind::map: return wait_what::map;
    case sync::wait_kind::array_lock: return wait_what::array_lock;
    case sync::wait_kind::array_sharers: return wait_what::array_shared;
    case sync::wait_kind::array_resize: return wait_what::array_resize;
    case sync::wait_kind::team: return wait_what::team;
    case sync::wait_kind::worker_start: return wait_what::worker_start;
    case sync::wait_kind::workers: return wait_what::workers;
    case sync::wait_kind::output: return wait_what::output;
    case sync::wait_kind::inbox: return wait_what::inbox;
    default: return wait_what::result;
  }
}

class collector {
 public:
  collector(live_look& out, bool with_channels) : out_(out), with_channels_(with_channels) {}

  void run(const std::vector<std::string>& names) {
    for (const std::string& name : names) look_at(name);
    for (const live_session& session : out_.sessions) add_noted(session);
    for (const channel_report& channel : out_.channels) add_sleepers(channel);
    std::stable_sort(out_.waits.begin(), out_.waits.end(),
                     [](const auto& a, const auto& b) { return a.since_ns < b.since_ns; });
  }

 private:
  void look_at(const std::string& name) {
    const std::string_view word = word_in(name);
    if (word.starts_with("results.") || word.starts_with("blob.")) return;
    checked_segment checked = check_segment(name);
    if (!checked.report.header) return;
    switch (checked.report.header->kind) {
      case shm::object_kind::channel:
        if (!with_channels_) return;
        keep(out_.channels, describe_channel(std::move(checked), effort::quick));
        break;
      case shm::object_kind::array: keep(out_.arrays, describe_array(std::move(checked))); break;
      case shm::object_kind::team: keep(out_.teams, describe_team(std::move(checked))); break;
      case shm::object_kind::session: look_at_session(name); break;
      default: break;
    }
  }

  template <class Report>
  static void keep(std::vector<Report>& all, Report found) {
    if (found.readable) all.push_back(std::move(found));
  }

  void look_at_session(const std::string& name) {
    live_session session;
    session.report = describe_session(name);
    if (!session.report.readable) return;
    session.realm = realm_in(name);
    const segment_file table(name);
    for (const session_process_report& each : session.report.processes) {
      const bool lives = each.state == runtime::worker_state::running && each.life != shm::liveness::dead;
      session.live.push_back(lives ? read_live(table, each.id) : live_report{});
    }
    out_.sessions.push_back(std::move(session));
  }

  void add_noted(const live_session& session) {
    for (std::size_t i = 0; i < session.live.size(); ++i) {
      const session_process_report& process = session.report.processes[i];
      for (const noted_wait_report& each : session.live[i].waits) {
        wait_report wait;
        wait.what = what_of(each.what);
        wait.who = process.who;
        wait.realm = session.realm;
        wait.process = process.id;
        wait.thread = each.thread;
        wait.since_ns = each.since_ns;
        wait.until_ns = each.until_ns;
        wait.object = each.object;
        wait.of = each.process;
        wait.owner = each.owner;
        wait.slot = each.slot;
        wait.generation = each.generation;
        wait.text = text_for(session, wait);
        noted_.insert({wait.who.pid, wait.thread});
        out_.waits.push_back(std::move(wait));
      }
    }
  }

  [[nodiscard]] std::string text_for(const live_session& session, const wait_report& wait) const {
    switch (wait.what) {
      case wait_what::result:
        return wait.of == wait.owner ? fmt::format("for a future of {}", name_text(wait.of))
                                     : fmt::format("for {} to answer a call", name_text(wait.of));
      case wait_what::map: return fmt::format("for the answers of a map ({} under way)", wait.slot);
      case wait_what::array_lock: return fmt::format("for the lock of array \"{}\"", wait.object);
      case wait_what::array_shared: return fmt::format("for those who share the lock of array \"{}\"", wait.object);
      case wait_what::array_resize: return fmt::format("for another resize of array \"{}\"", wait.object);
      case wait_what::team: return team_text(wait);
      case wait_what::worker_start: return fmt::format("for {} to start", name_text(wait.of));
      case wait_what::workers:
        return session.report.ending ? "for the workers to end" : "for workers to start or to end";
      case wait_what::output: return "for its output to be printed";
      case wait_what::inbox: return fmt::format("for room in the inbox of {}", name_text(wait.of));
      default: return {};
    }
  }

  [[nodiscard]] std::string team_text(const wait_report& wait) const {
    for (const team_report& team : out_.teams) {
      if (team.segment.name != wait.object || wait.slot >= team.ranks.size()) continue;
      if (const std::string& in = team.ranks[wait.slot].waits; !in.empty()) {
        return fmt::format("as rank {} in {}", wait.slot, in);
      }
    }
    return fmt::format("as rank {} for other ranks", wait.slot);
  }

  void add_sleepers(const channel_report& channel) {
    const process_id owner = owner_of_inbox(channel.segment.name);
    for (const waiter_report& each : channel.waiters) {
      if (each.life == shm::liveness::dead) continue;
      // What the session's table says of the thread is the whole wait, of which this is a part.
      if (channel.segment.name.starts_with('@') && channel.segment.header->id == 0 &&
          noted_.count({each.pid, each.thread}) != 0) {
        continue;
      }
      wait_report wait;
      wait.what = what_of(each.what);
      for (const participant_report& p : channel.participants) {
        if (p.entry == each.participant) wait.who = p.who;
      }
      if (wait.who.pid == 0) continue;
      const auto member = out_.member_of(wait.who);
      if (member.process != nullptr) {
        wait.realm = member.session->realm;
        wait.process = member.process->id;
      }
      if (owner != 0 && wait.what == wait_what::item && mark_listener(wait, owner, channel, each.thread)) continue;
      wait.thread = each.thread;
      wait.since_ns = each.since_ns;
      wait.until_ns = each.until_ns;
      wait.object = channel.segment.name;
      wait.text = channel_wait_text(each.what, wait.object);
      out_.waits.push_back(std::move(wait));
    }
  }

  /// A process that waits for calls waits for nothing. False: it is not that.
  bool mark_listener(const wait_report& wait, process_id owner, const channel_report& inbox, std::int32_t thread) {
    if (wait.process != owner || wait.realm != realm_in(inbox.segment.name)) return false;
    for (live_session& session : out_.sessions) {
      if (session.realm != wait.realm) continue;
      for (std::size_t i = 0; i < session.live.size(); ++i) {
        if (session.report.processes[i].id == owner) session.live[i].idle.push_back(thread);
      }
    }
    return true;
  }

  live_look& out_;
  bool with_channels_;
  std::set<thread_key> noted_;  // in some session's table
};

}  // namespace

std::string channel_wait_text(channels::waits_for what, std::string_view channel) {
  switch (what) {
    case channels::waits_for::room: return fmt::format("to put into \"{}\"", channel);
    case channels::waits_for::block: return fmt::format("for a block to put into \"{}\"", channel);
    case channels::waits_for::pickup: return fmt::format("for a taker of \"{}\" to pick up an item", channel);
    default: return fmt::format("to take from \"{}\"", channel);
  }
}

const char* text_of(wait_what what) noexcept {
  switch (what) {
    case wait_what::item: return "item";
    case wait_what::room: return "room";
    case wait_what::block: return "block";
    case wait_what::pickup: return "pickup";
    case wait_what::result: return "result";
    case wait_what::map: return "map";
    case wait_what::array_lock: return "array_lock";
    case wait_what::array_shared: return "array_shared";
    case wait_what::array_resize: return "array_resize";
    case wait_what::team: return "team";
    case wait_what::worker_start: return "worker_start";
    case wait_what::workers: return "workers";
    case wait_what::output: return "output";
    case wait_what::inbox: return "inbox";
  }
  return "?";
}

std::string_view realm_in(std::string_view name) noexcept {
  if (!name.starts_with('@')) return {};
  return name.substr(1, std::min(name.find('.'), name.size()) - 1);
}

std::string_view word_in(std::string_view name) noexcept {
  if (!name.starts_with('@')) return {};
  return name.substr(std::min(name.find('.'), name.size() - 1) + 1);
}

process_id owner_of_inbox(std::string_view name) noexcept {
  constexpr std::string_view kWord = "inbox.";
  const std::string_view rest = word_in(name);
  process_id owner = 0;
  if (!rest.starts_with(kWord)) return 0;
  const char* const end = rest.data() + rest.size();
  return std::from_chars(rest.data() + kWord.size(), end, owner).ptr == end ? owner : 0;
}

const session_process_report* live_look::find(const live_session& session, process_id id) {
  for (const session_process_report& each : session.report.processes) {
    if (each.id == id) return &each;
  }
  return nullptr;
}

live_look::membership live_look::member_of(const shm::process_identity& who) const {
  for (const live_session& session : sessions) {
    for (const session_process_report& each : session.report.processes) {
      if (each.who == who && who.pid != 0) return {&session, &each};
    }
  }
  return {};
}

namespace {

live_look look(const std::vector<std::string>& names, bool with_channels) {
  live_look out;
  out.taken_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  collector(out, with_channels).run(names);
  return out;
}

}  // namespace

live_look look_at_everything() { return look(shm::list_segments(), true); }
live_look look_at_sessions(const std::vector<std::string>& names) { return look(names, false); }

}  // namespace weir::inspect
