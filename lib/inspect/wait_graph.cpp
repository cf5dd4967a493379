// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "inspect/lock.hpp"
#include "inspect/process.hpp"
#include "inspect/why.hpp"

namespace weir::inspect {
namespace {

class graph_builder {
 public:
  explicit graph_builder(const live_look& look) : look_(look) {}

  wait_graph run() {
    for (const live_session& session : look_.sessions) {
      for (std::size_t i = 0; i < session.report.processes.size(); ++i) add_process(session, i);
    }
    for (const wait_report& wait : look_.waits) add(wait);
    find_free_threads();
    return std::move(out_);
  }

 private:
  void add_process(const live_session& session, std::size_t i) {
    const session_process_report& process = session.report.processes[i];
    if (process.who.pid == 0 || process.state == runtime::worker_state::gone) return;
    const std::size_t index = party_of(process.who);
    idle_[index].insert(session.live[i].idle.begin(), session.live[i].idle.end());
  }

  std::size_t party_of(const shm::process_identity& who) {
    const auto key = std::make_pair(who.pid, who.start_time);
    if (const auto it = parties_.find(key); it != parties_.end()) return it->second;
    party fresh;
    fresh.pid = who.pid;
    const shm::liveness life = shm::look(who);
    fresh.alive = life != shm::liveness::dead;
    is_visible_.push_back(life == shm::liveness::alive);
    if (const auto member = look_.member_of(who); member.process != nullptr) {
      fresh.realm = member.session->realm;
      fresh.serves = true;
      const bool is_control = member.process->id == kControlProcess;
      fresh.title = is_control ? fmt::format("the control process (pid {})", who.pid)
                               : fmt::format("worker {} (pid {})", member.process->id, who.pid);
    } else {
      const std::string program = fresh.alive ? program_of(who.pid) : std::string();
      fresh.title = program.empty() ? fmt::format("pid {}", who.pid) : fmt::format("{} (pid {})", program, who.pid);
    }
    if (fresh.alive && life == shm::liveness::alive) {
      const auto usage = usage_of(who.pid);
      fresh.stopped = usage && usage->state == 'T';
    }
    out_.parties.push_back(std::move(fresh));
    idle_.emplace_back();
    return parties_[key] = out_.parties.size() - 1;
  }

  void add(const wait_report& wait) {
    const std::size_t who = party_of(wait.who);
    const auto same = std::find_if(out_.threads.begin(), out_.threads.end(), [&](const waiting_thread& each) {
      return each.who == who && each.thread == wait.thread;
    });
    way_out way = way_of(wait);
    if (same != out_.threads.end()) {
      same->ways.push_back(std::move(way));
      same->since_ns = std::min(same->since_ns, wait.since_ns);
      if (wait.until_ns != 0) same->until_ns = wait.until_ns;
      return;
    }
    waiting_thread fresh;
    fresh.who = who;
    fresh.thread = wait.thread;
    fresh.since_ns = wait.since_ns;
    fresh.until_ns = wait.until_ns;
    fresh.ways.push_back(std::move(way));
    out_.threads.push_back(std::move(fresh));
  }

  way_out way_of(const wait_report& wait) {
    way_out way;
    way.text = wait.text;
    switch (wait.what) {
      case wait_what::item:
      case wait_what::room:
      case wait_what::block:
      case wait_what::pickup: add_channel(wait, way); break;
      case wait_what::result: add_result(wait, way); break;
      case wait_what::map: add_map(wait, way); break;
      case wait_what::array_lock: add_lock(wait, way); break;
      case wait_what::array_shared: add_sharers(wait, way); break;
      case wait_what::team: add_team(wait, way); break;
      case wait_what::inbox: add_process_of(wait, way, wait.of, "serves it"); break;
      case wait_what::worker_start:
      case wait_what::workers:
      case wait_what::output:
      case wait_what::array_resize: way.is_sure = true; break;  // the runtime's business, which ends
    }
    return way;
  }

  void add_channel(const wait_report& wait, way_out& way) {
    const auto it = std::find_if(look_.channels.begin(), look_.channels.end(),
                                 [&](const channel_report& each) { return each.segment.name == wait.object; });
    if (it == look_.channels.end()) return void(way.is_sure = true);
    const channel_report& channel = *it;
    const bool to_take = wait.what == wait_what::item;
    const std::uint64_t items = channel.segment.items.value_or(0);
    // What came just now: the sleeper will see it.
    if (channel.closed != channels::closing::open || channel.pins > 0) way.is_sure = true;
    if (to_take && items != 0) way.is_sure = true;
    if (wait.what == wait_what::room && channel.geometry.capacity != 0 && items < channel.geometry.capacity) {
      way.is_sure = true;
    }
    if (wait.what == wait_what::room && channel.geometry.capacity != 0) {
      way.text += fmt::format(", which is full ({} of {})", items, channel.geometry.capacity);
    }
    way.role = to_take ? "could put into it" : "could take from it";
    bool has_others = false;
    for (const participant_report& each : channel.participants) {
      way.by.push_back({party_of(each.who), 0});
      has_others = has_others || each.who != wait.who;
    }
    if (has_others) return;
    if (channel.segment.header->named && !channel.segment.name.starts_with('@')) {
      way.is_sure = true;
      way.note = "nobody else has it open: whoever opens it can";
    } else {
      way.note = "nobody else has it any more";
    }
  }

  void add_process_of(const wait_report& wait, way_out& way, process_id id, const char* role) {
    for (const live_session& session : look_.sessions) {
      if (session.realm != wait.realm) continue;
      if (const session_process_report* process = live_look::find(session, id);
          process != nullptr && process->state != runtime::worker_state::gone) {
        way.by.push_back({party_of(process->who), 0});
      }
    }
    way.role = role;
    if (way.by.empty()) way.is_sure = true;  // it has just ended: the waiter is told
  }

  void add_result(const wait_report& wait, way_out& way) {
    way.role = "runs it";
    if (const auto found = find_runs(wait,
                                     [&](const run_report& run) {
                                       return run.caller == wait.owner && run.slot == wait.slot &&
                                              run.generation == wait.generation;
                                     });
        !found.empty()) {
      way.by = found;
      return;
    }
    // Under way, or waiting for its turn; or what follows other futures, which anybody may bring.
    if (wait.of != wait.owner) return void(way.is_sure = true);
    for (const live_session& session : look_.sessions) {
      if (session.realm != wait.realm) continue;
      for (const session_process_report& each : session.report.processes) {
        if (each.state == runtime::worker_state::running) way.by.push_back({party_of(each.who), 0});
      }
    }
    way.role.clear();
  }

  void add_map(const wait_report& wait, way_out& way) {
    way.role = "runs a part";
    way.by = find_runs(wait, [&](const run_report& run) { return run.trampoline != 0 && run.caller == wait.process; });
    way.is_sure = way.by.size() < wait.slot;  // the others are under way
  }

  template <class Fits>
  std::vector<bringer> find_runs(const wait_report& wait, const Fits& fits) {
    std::vector<bringer> found;
    for (const live_session& session : look_.sessions) {
      if (session.realm != wait.realm) continue;
      for (std::size_t i = 0; i < session.live.size(); ++i) {
        for (const run_report& run : session.live[i].runs) {
          if (fits(run)) found.push_back({party_of(session.report.processes[i].who), run.thread});
        }
      }
    }
    return found;
  }

  [[nodiscard]] const array_report* array_of(const wait_report& wait) const {
    for (const array_report& each : look_.arrays) {
      // A long name was cut where it was noted.
      const bool is_cut = wait.object.size() + 1 == sync::kWaitObjectBytes;
      if (each.segment.name == wait.object || (is_cut && each.segment.name.starts_with(wait.object))) return &each;
    }
    return nullptr;
  }

  void add_lock(const wait_report& wait, way_out& way) {
    const array_report* array = array_of(wait);
    way.role = "has it";
    const bool is_seen = array != nullptr && array->lock.held && array->lock.pid != 0;
    if (is_seen && array->lock.life == shm::liveness::alive) {
      way.by.push_back({party_of(shm::identify(array->lock.pid)), array->lock.thread});
    } else {
      way.is_sure = true;  // it has just become free, or the kernel gives it to the next one
    }
  }

  void add_sharers(const wait_report& wait, way_out& way) {
    const array_report* array = array_of(wait);
    way.role = "shares it";
    way.needs_all = true;
    if (array != nullptr) {
      for (const seat_report& seat : array->seats) {
        if (seat.sharers != 0 && seat.life == shm::liveness::alive) way.by.push_back({party_of(seat.who), 0});
      }
    }
    if (way.by.empty()) way.is_sure = true;
  }

  void add_team(const wait_report& wait, way_out& way) {
    way.role = "has not come";
    way.needs_all = true;
    for (const team_report& team : look_.teams) {
      if (team.segment.name != wait.object || wait.slot >= team.ranks.size()) continue;
      if (!team.failed.empty()) way.is_sure = true;
      const team_rank_report& own = team.ranks[wait.slot];
      if (own.waits_for_readers) way.needs_all = false;  // some have read it already
      for (const team_rank_report& rank : team.ranks) {
        if (rank.rank == own.rank || !is_missing(own, rank)) continue;
        // One that is dead is told of, one that has not come yet is on its way.
        if (rank.life != shm::liveness::alive) way.is_sure = true;
        if (rank.who.pid != 0) add_rank(wait, rank, way);
      }
    }
    if (way.by.empty()) way.is_sure = true;
  }

  static bool is_missing(const team_rank_report& own, const team_rank_report& other) {
    if (own.waits_for) return *own.waits_for == other.rank;
    return other.operations < own.operations || own.waits_for_readers;
  }

  /// The thread that the rank runs on is the one that runs a call there; if there are more, any.
  void add_rank(const wait_report& wait, const team_rank_report& rank, way_out& way) {
    const auto runs = find_runs(wait, [](const run_report& run) { return run.trampoline != 0; });
    const std::size_t index = party_of(rank.who);
    std::vector<bringer> own;
    std::copy_if(runs.begin(), runs.end(), std::back_inserter(own), [&](const bringer& b) { return b.who == index; });
    way.by.push_back(own.size() == 1 ? own.front() : bringer{index, 0});
  }

  void find_free_threads() {
    std::vector<std::set<std::int32_t>> known(idle_);
    for (const waiting_thread& each : out_.threads) known[each.who].insert(each.thread);
    for (std::size_t i = 0; i < out_.parties.size(); ++i) {
      party& each = out_.parties[i];
      if (!each.alive) continue;
      const auto threads = is_visible_[i] ? threads_of(each.pid) : std::nullopt;
      each.has_free_thread = !threads || std::any_of(threads->begin(), threads->end(),
                                                     [&](std::int32_t thread) { return known[i].count(thread) == 0; });
    }
  }

  const live_look& look_;
  wait_graph out_;
  std::map<std::pair<std::int32_t, std::uint64_t>, std::size_t> parties_;
  std::vector<std::set<std::int32_t>> idle_;  // of each party
  std::vector<bool> is_visible_;              // likewise: its threads can be counted
};

}  // namespace

wait_graph make_wait_graph(const live_look& look) { return graph_builder(look).run(); }

}  // namespace weir::inspect
