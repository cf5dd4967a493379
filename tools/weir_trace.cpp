// SPDX-License-Identifier: BSL-1.0
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <thread>

#include "inspect/session.hpp"
#include "inspect/trace.hpp"
#include "inspect/trace_timeline.hpp"
#include "runtime/tracing.hpp"
#include "weir_commands.hpp"
#include "weir_json.hpp"
#include "weir_output.hpp"
#include "weir_trace_file.hpp"

namespace weir::command {
namespace {

struct trace_options {
  std::string session;
  std::string file;
  std::size_t last = 10;
  bool start = false;
  bool stop = false;
  bool force = false;
  bool json = false;
};

/// A process looks at the switch several times in this time; one that is stopped, or gone meanwhile, is not waited for
/// longer.
constexpr std::chrono::seconds kObeyWithin{5};

struct last_event {
  const inspect::traced_process* process;
  const inspect::trace_event* event;
};

std::vector<last_event> last_events(const inspect::trace_report& report, std::size_t count) {
  std::vector<last_event> all;
  for (const auto& process : report.processes) {
    const std::size_t first = process.events.size() - std::min(count, process.events.size());
    for (std::size_t i = first; i < process.events.size(); ++i) all.push_back({&process, &process.events[i]});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.event->time_ns < b.event->time_ns; });
  all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(std::min(count, all.size())));
  return all;
}

std::int64_t real_ns(const last_event& each) { return each.event->time_ns + each.process->real_offset_ns; }

/// 14:03:07.123456
std::string time_of_day(std::int64_t real_time_ns) {
  const auto when = std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::nanoseconds(real_time_ns)));
  return fmt::format("{:%H:%M:%S}.{:06}", fmt::localtime(std::chrono::system_clock::to_time_t(when)),
                     real_time_ns / 1000 % 1'000'000);
}

std::string in_words(const last_event& each) {
  const inspect::trace_event& e = *each.event;
  std::string text = text_of(e);
  const std::string object = object_of(*each.process, e);
  if (!object.empty()) text += ": " + object;
  if (e.kind == trace::event_kind::put || e.kind == trace::event_kind::take) text += fmt::format(" #{}", e.number);
  if (e.kind == trace::event_kind::call) text += fmt::format(" on {}", process_name(e.peer));
  if (e.kind == trace::event_kind::run_begin || e.kind == trace::event_kind::answer) {
    text += fmt::format(" for {}", process_name(e.peer));
  }
  return text;
}

std::string state_of(const inspect::traced_process& p) {
  if (!p.why.empty()) return p.why;
  if (p.life == shm::liveness::dead) return "dead";
  return p.recording ? "recording" : "not recording";
}

void print_summary(const inspect::trace_report& report, const inspect::trace_timeline& timeline,
                   const trace_options& options) {
  const auto lost = [](std::uint64_t count) { return count == 0 ? "-" : std::to_string(count); };
  table out({"PROCESS", ">PID", "PROGRAM", "STATE", ">EVENTS", ">OVERWRITTEN", ">DAMAGED"});
  for (const auto& p : report.processes) {
    const bool is_bad = !p.why.empty() || p.damaged != 0;
    out.add({{process_name(p.id)},
             {std::to_string(p.who.pid)},
             {printable(p.program)},
             {printable(state_of(p)), is_bad                          ? style::bad
                                      : p.life == shm::liveness::dead ? style::warning
                                                                      : style::good},
             {std::to_string(p.events.size())},
             {lost(p.overwritten)},
             {lost(p.damaged)}});
  }
  out.print();
  for (const auto& p : report.processes) {
    if (p.refused != 0) {
      fmt::print("{}: {} found no place to record in\n", process_name(p.id), counted(p.refused, "thread"));
    }
  }
  const double seconds = static_cast<double>(timeline.end_ns - timeline.begin_ns) / 1e9;
  fmt::print("{:.6f} s, {}, {}\n", seconds, counted(timeline.slices.size(), "slice"),
             counted(timeline.flows.size(), "arrow"));
  const auto last = last_events(report, options.last);
  if (!last.empty()) fmt::print("\nthe last {}:\n", counted(last.size(), "event"));
  for (const last_event& each : last) {
    fmt::print("{}  {:<10} {:>8}  {}\n", time_of_day(real_ns(each)), process_name(each.process->id), each.event->thread,
               printable(in_words(each)));
  }
  if (!options.file.empty()) fmt::print("\nwritten to {} (to be opened at ui.perfetto.dev)\n", printable(options.file));
}

json process_json(const inspect::traced_process& p) {
  json out{{"process", p.id}, {"pid", p.who.pid}};
  out["alive"] = p.life == shm::liveness::unknown ? json(nullptr) : json(p.life == shm::liveness::alive);
  out["program"] = p.program;
  out["recording"] = p.recording;
  out["events"] = p.events.size();
  out["recorded"] = p.recorded;
  out["overwritten"] = p.overwritten;
  out["damaged"] = p.damaged;
  out["threads_without_room"] = p.refused;
  out["problem"] = p.why.empty() ? json(nullptr) : json(p.why);
  return out;
}

json event_json(const last_event& each) {
  const std::string object = object_of(*each.process, *each.event);
  return {{"process", each.process->id},
          {"thread", each.event->thread},
          {"time_s", static_cast<double>(real_ns(each)) / 1e9},
          {"what", text_of(*each.event)},
          {"object", object.empty() ? json(nullptr) : json(object)},
          {"number", each.event->number}};
}

/// `obeyed`: nothing was switched.
struct switching {
  bool on = false;
  bool was_so = false;
  std::vector<process_id> late;  ///< living processes that have not obeyed in time
};

json look_json(const inspect::trace_report& report, const inspect::trace_timeline& timeline,
               const trace_options& options, const std::optional<switching>& done) {
  json out{{"realm", report.realm}, {"session_present", report.session_is_there}};
  out["switched"] = done ? json(done->on ? "on" : "off") : json(nullptr);
  out["was_so_before"] = done ? json(done->was_so) : json(nullptr);
  out["late_processes"] = done ? json(done->late) : json::array();
  out["processes"] = json::array();
  for (const auto& p : report.processes) out["processes"].push_back(process_json(p));
  out["slices"] = timeline.slices.size();
  out["flows"] = timeline.flows.size();
  out["duration_s"] = static_cast<double>(timeline.end_ns - timeline.begin_ns) / 1e9;
  out["last_events"] = json::array();
  for (const last_event& each : last_events(report, options.last)) out["last_events"].push_back(event_json(each));
  out["file"] = options.file.empty() ? json(nullptr) : json(options.file);
  return out;
}

/// The living processes of the session that have not seen the switch yet.
std::vector<process_id> those_late(const std::string& realm, std::uint32_t word, bool on) {
  std::vector<process_id> late;
  for (const auto& p : inspect::describe_session(fmt::format("@{}.session", realm)).processes) {
    if (p.state != runtime::worker_state::running || p.life != shm::liveness::alive) continue;
    const auto trace = inspect::look_at_trace(realm, p.id);
    // One that came after tracing was switched off has no trace.
    const bool has_none = trace.who.pid == 0;
    if (trace.follows != word && (on || !has_none)) late.push_back(p.id);
  }
  return late;
}

switching switch_session(const std::string& realm, bool on) {
  const runtime::switched now = runtime::switch_trace_of(realm, on);
  switching done{on, now.was_so, {}};
  const auto give_up = std::chrono::steady_clock::now() + kObeyWithin;
  for (;;) {
    done.late = those_late(realm, now.word, on);
    if (done.late.empty() || std::chrono::steady_clock::now() >= give_up) return done;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void print_switched(const std::string& realm, const switching& done) {
  fmt::print("session {}: tracing {} {}\n", realm, done.was_so ? "was already" : "is", done.on ? "on" : "off");
  for (const process_id each : done.late) {
    fmt::print("{} has not followed yet: it is stopped, or has no room to record in\n", process_name(each));
  }
}

/// Nothing: it is said on stderr why.
std::optional<std::string> find_realm(const std::string& given) {
  const std::vector<std::string> found = inspect::find_realms(given);
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    fmt::print(stderr, "weir: trace: there is no session or trace \"{}\" (weir ls '@*' lists what there is)\n",
               printable(given));
  } else {
    fmt::print(stderr, "weir: trace: \"{}\" could be {} sessions: {}\n", printable(given), found.size(),
               fmt::join(found, ", "));
  }
  return std::nullopt;
}

bool has_problem(const inspect::trace_report& report) {
  return std::any_of(report.processes.begin(), report.processes.end(), [](const inspect::traced_process& p) {
    return !p.why.empty() || p.damaged != 0 || p.refused != 0;
  });
}

int run(const trace_options& options) {
  const auto realm = find_realm(options.session);
  if (!realm) return kProblem;
  std::optional<switching> done;
  if (options.start || options.stop) done = switch_session(*realm, options.start);
  const bool is_quiet = options.file == "-";
  if (done && !options.json && !is_quiet) print_switched(*realm, *done);
  if (done && options.file.empty() && !options.json) return done->late.empty() ? kFine : kProblem;

  const inspect::trace_report report = inspect::read_trace(*realm);
  if (report.processes.empty()) {
    if (!options.json) {
      fmt::print(stderr, "weir: trace: session {} is not traced (weir trace --start {} begins that)\n", *realm, *realm);
      return kProblem;
    }
  }
  const inspect::trace_timeline timeline = make_timeline(report);
  if (!options.file.empty() && !report.processes.empty()) {
    write_trace_file(options.file, options.force, report, timeline);
  }
  if (is_quiet) return has_problem(report) ? kProblem : kFine;
  if (options.json) {
    print(look_json(report, timeline, options, done));
  } else {
    print_summary(report, timeline, options);
  }
  const bool is_fine = (done ? done->late.empty() : !report.processes.empty()) && !has_problem(report);
  return is_fine ? kFine : kProblem;
}

}  // namespace

void add_trace(CLI::App& app, action& chosen) {
  const auto options = std::make_shared<trace_options>();
  CLI::App* const self = app.add_subcommand(
      "trace", "Shows what a traced session did last, and writes its calls, puts, takes and waits for Perfetto");
  self->add_option("SESSION", options->session, "Its realm, the first digits of that, or the name of a segment of it")
      ->required();
  self->add_option("FILE", options->file, "Write the trace to this file (JSON for ui.perfetto.dev); - is stdout");
  CLI::Option* const start = self->add_flag("--start", options->start, "Begin to trace the session, which must run");
  self->add_flag("--stop", options->stop, "End that; what was recorded stays to be read")->excludes(start);
  self->add_option("-n,--last", options->last, "How many of the last events to show")->capture_default_str();
  self->add_flag("--force", options->force, "Replace FILE if it is there");
  self->add_flag("--json", options->json, "Print JSON: the summary, not the trace");
  on_parsed(*self, chosen, options, run);
}

}  // namespace weir::command
