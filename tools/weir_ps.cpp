// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "inspect/lock.hpp"
#include "inspect/process.hpp"
#include "inspect/waits.hpp"
#include "segment/space.hpp"
#include "weir_commands.hpp"
#include "weir_json.hpp"
#include "weir_live_parts.hpp"
#include "weir_output.hpp"

namespace weir::command {
namespace {

struct ps_options {
  std::string pattern;
  std::string session;
  bool json = false;
};

constexpr std::size_t kWide = 110;
constexpr std::size_t kWideBefore = 61;    // columns before DOING, about
constexpr std::size_t kNarrowBefore = 36;  // likewise

/// A process that uses weir's segments and belongs to no session that can be seen.
struct lone_process {
  shm::process_identity who;
  std::vector<const inspect::wait_report*> waits;
};

std::vector<lone_process> lone_processes(const inspect::live_look& look) {
  std::map<std::pair<std::int32_t, std::uint64_t>, lone_process> found;
  const auto note = [&](const shm::process_identity& who, shm::liveness life) {
    if (life != shm::liveness::alive || who.pid == 0 || look.member_of(who).process != nullptr) return;
    found[{who.pid, who.start_time}].who = who;
  };
  for (const auto& channel : look.channels) {
    for (const auto& each : channel.participants) note(each.who, each.life);
  }
  for (const auto& array : look.arrays) {
    for (const auto& each : array.seats) note(each.who, shm::look(each.who));
  }
  for (const auto& wait : look.waits) {
    const auto it = found.find({wait.who.pid, wait.who.start_time});
    if (it != found.end()) it->second.waits.push_back(&wait);
  }
  std::vector<lone_process> out;
  for (auto& [key, each] : found) out.push_back(std::move(each));
  return out;
}

bool is_lost(const inspect::session_process_report& p) {
  return p.state == runtime::worker_state::running && p.life == shm::liveness::dead;
}

std::string state_text(const inspect::session_process_report& p, const std::optional<inspect::process_usage>& usage) {
  if (is_lost(p)) return "dead";
  if (p.state == runtime::worker_state::gone) return "ended";
  if (usage && usage->state == 'T') return "stopped";
  return inspect::text_of(p.state);
}

style style_of_process(const std::string& state) {
  if (state == "running") return style::good;
  return state == "dead" || state == "stopped" ? style::warning : style::faint;
}

std::string cpu_text(const std::optional<inspect::process_usage>& usage) {
  return usage ? readable_time(usage->cpu_ns) : "-";
}

std::string memory_text(const std::optional<inspect::process_usage>& usage) {
  return usage ? shm::readable(usage->resident_bytes) : "-";
}

void show_processes_of(const inspect::live_look& look, const inspect::live_session& session,
                       inspect::code_names& names) {
  const auto& header = *session.report.segment.header;
  const std::string program = printable(inspect::program_of(header.creator.pid));
  const bool alive = header.creator_life != shm::liveness::dead;
  fmt::print(
      "session {}  {}{}{}\n", printable(session.realm),
      alive ? fmt::format("{}, pid {}, ", program.empty() ? "?" : program, header.creator.pid) : "",
      painted(alive ? inspect::text_of(session.report.segment.state)
                    : fmt::format("its control process, pid {}, is dead (weir gc removes it)", header.creator.pid),
              alive ? style::good : style::warning),
      session.report.ending ? ", ending" : "");
  // What it does matters more than what it takes, if there is not room for both.
  const bool is_narrow = terminal_columns().value_or(kWide) < kWide;
  std::vector<std::string> headings{">ID", ">PID", "STATE", ">SERVED"};
  if (!is_narrow) headings.insert(headings.end(), {">AGE", ">CPU", ">MEMORY"});
  headings.emplace_back("DOING");
  const std::size_t before = is_narrow ? kNarrowBefore : kWideBefore;
  table out(headings);
  for (std::size_t i = 0; i < session.report.processes.size(); ++i) {
    const auto& p = session.report.processes[i];
    const bool lives = p.state != runtime::worker_state::gone && p.life == shm::liveness::alive;
    const auto usage = lives ? inspect::usage_of(p.who.pid) : std::nullopt;
    const std::string state = state_text(p, usage);
    std::vector<std::string> doings{p.state == runtime::worker_state::gone ? p.ended.text() : "-"};
    if (lives) doings = doings_of(look, session, i, names);
    std::vector<table::cell> row{
        {std::to_string(p.id)},
        {p.who.pid == 0 ? "-" : std::to_string(p.who.pid)},
        {p.id == kControlProcess && state == "running" ? "control" : state, style_of_process(state)},
        {std::to_string(p.calls_served)}};
    if (!is_narrow) {
      row.push_back({readable_time(since_real(p.started_ns))});
      row.push_back({cpu_text(usage)});
      row.push_back({memory_text(usage)});
    }
    row.push_back({fitted(doings.front(), before)});
    const std::size_t cells = row.size();
    out.add(std::move(row));
    for (std::size_t line = 1; line < doings.size(); ++line) {
      std::vector<table::cell> more(cells);
      more.back() = {fitted(doings[line], before)};
      out.add(std::move(more));
    }
  }
  out.print(2);
}

void show_lone(const std::vector<lone_process>& processes) {
  fmt::print("without a session\n");
  table out({">PID", "PROGRAM", ">CPU", ">MEMORY", "DOING"});
  for (const lone_process& each : processes) {
    const auto usage = inspect::usage_of(each.who.pid);
    std::string doing = each.waits.empty() ? "-" : "";
    for (const inspect::wait_report* wait : each.waits) {
      doing += fmt::format("{}waits {} for {}", doing.empty() ? "" : "; ", printable(wait->text),
                           readable_time(since_monotonic(wait->since_ns)));
    }
    constexpr std::size_t kBefore = 48;
    out.add({{std::to_string(each.who.pid)},
             {printable(inspect::program_of(each.who.pid))},
             {cpu_text(usage)},
             {memory_text(usage)},
             {fitted(doing, kBefore)}});
  }
  out.print(2);
}

void add_usage(json& out, std::int32_t pid, bool lives) {
  const auto usage = lives ? inspect::usage_of(pid) : std::nullopt;
  out["program"] = lives ? json(inspect::program_of(pid)) : json(nullptr);
  out["stopped"] = usage ? json(usage->state == 'T') : json(nullptr);
  out["cpu_s"] = usage ? json(static_cast<double>(usage->cpu_ns) / 1e9) : json(nullptr);
  out["resident_bytes"] = usage ? json(usage->resident_bytes) : json(nullptr);
}

json json_of(const inspect::live_look& look, const inspect::live_session& session, inspect::code_names& names) {
  const auto& header = *session.report.segment.header;
  json out{{"realm", session.realm}, {"state", inspect::text_of(session.report.segment.state)}};
  out["control_pid"] = header.creator.pid;
  out["ending"] = session.report.ending;
  out["processes"] = json::array();
  for (std::size_t i = 0; i < session.report.processes.size(); ++i) {
    const auto& p = session.report.processes[i];
    const bool lives = p.state != runtime::worker_state::gone && p.life == shm::liveness::alive;
    json one{{"id", p.id}, {"state", inspect::text_of(p.state)}};
    one["pid"] = p.who.pid == 0 ? json(nullptr) : json(p.who.pid);
    one["alive"] = p.life == shm::liveness::unknown ? json(nullptr) : json(p.life == shm::liveness::alive);
    add_usage(one, p.who.pid, lives);
    one["exit_status"] = p.ended.exit_status ? json(*p.ended.exit_status) : json(nullptr);
    one["signal"] = p.ended.signal ? json(*p.ended.signal) : json(nullptr);
    one["age_s"] = static_cast<double>(since_real(p.started_ns)) / 1e9;
    one["concurrency"] = p.concurrency;
    one["calls_started"] = p.calls_started;
    one["calls_served"] = p.calls_served;
    one["runs"] = json::array();
    for (const auto& run : session.live[i].runs) one["runs"].push_back(to_json(run, p.who.pid, names));
    one["waits"] = json::array();
    for (const auto& wait : look.waits) {
      if (wait.realm == session.realm && wait.process == p.id) one["waits"].push_back(to_json(wait));
    }
    out["processes"].push_back(std::move(one));
  }
  return out;
}

json json_of(const lone_process& process) {
  json out{{"pid", process.who.pid}};
  add_usage(out, process.who.pid, true);
  out["waits"] = json::array();
  for (const auto* wait : process.waits) out["waits"].push_back(to_json(*wait));
  return out;
}

/// By realm, or by the name of the program that is its control process.
bool matches(const std::string& pattern, const inspect::live_session& session) {
  if (pattern.empty()) return true;
  return inspect::matches(pattern, session.realm) ||
         inspect::matches(pattern, inspect::program_of(session.report.segment.header->creator.pid));
}

int run(const ps_options& options) {
  const inspect::live_look look = inspect::look_at_everything();
  inspect::code_names names;
  std::vector<const inspect::live_session*> sessions;
  for (const auto& session : look.sessions) {
    if (matches(options.pattern, session) && (options.session.empty() || matches(options.session, session))) {
      sessions.push_back(&session);
    }
  }
  std::vector<lone_process> lone;
  if (options.session.empty()) lone = lone_processes(look);
  if (!options.pattern.empty()) {
    std::erase_if(lone, [&](const lone_process& each) {
      return !inspect::matches(options.pattern, inspect::program_of(each.who.pid));
    });
  }
  const bool is_empty = sessions.empty() && lone.empty();
  if (options.json) {
    json all{{"sessions", json::array()}, {"processes", json::array()}};
    for (const auto* session : sessions) all["sessions"].push_back(json_of(look, *session, names));
    for (const auto& process : lone) all["processes"].push_back(json_of(process));
    print(all);
  } else {
    for (const auto* session : sessions) show_processes_of(look, *session, names);
    if (!lone.empty()) show_lone(lone);
  }
  if (is_empty && !(options.pattern.empty() && options.session.empty())) {
    const std::string& given = options.session.empty() ? options.pattern : options.session;
    fmt::print(stderr, "weir: ps: no session or process is called \"{}\" (weir ps lists all)\n", printable(given));
    return kProblem;
  }
  if (is_empty && !options.json) fmt::print("no process uses weir\n");
  const bool problem = std::any_of(sessions.begin(), sessions.end(), [](const inspect::live_session* session) {
    const auto& processes = session->report.processes;
    return inspect::is_problem(session->report.segment.state) ||
           std::any_of(processes.begin(), processes.end(), &is_lost);
  });
  return problem ? kProblem : kFine;
}

}  // namespace

void add_ps(CLI::App& app, action& chosen) {
  const auto options = std::make_shared<ps_options>();
  CLI::App* const self =
      app.add_subcommand("ps", "Shows sessions and their workers: what each runs, or waits for, and since when");
  self->add_option("PATTERN", options->pattern,
                   "Only sessions whose realm or program matches it, with * and ? as in a shell");
  self->add_option("--session", options->session, "Only that session, by its realm or its program's name");
  self->add_flag("--json", options->json, "Print JSON");
  on_parsed(*self, chosen, options, run);
}

}  // namespace weir::command
