// SPDX-License-Identifier: BSL-1.0
#include "weir_live_parts.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "runtime/call_layout.hpp"
#include "weir_output.hpp"

namespace weir::command {

std::string process_title(process_id id) {
  return id == kControlProcess ? std::string("control process") : fmt::format("worker {}", id);
}

std::string run_text(const inspect::run_report& run, std::int32_t pid, inspect::code_names& names) {
  if (run.trampoline == 0) return "what follows a future";
  return names.name_of(pid, run.module, run.function != 0 ? run.function : run.trampoline);
}

namespace {

/// "waits 3.1 s to put into "b", 2 s more at most"
std::string wait_text(const inspect::wait_report& wait) {
  std::string text = fmt::format("waits {} {}", readable_time(since_monotonic(wait.since_ns)), printable(wait.text));
  if (wait.until_ns != 0) text += fmt::format(", {} more at most", readable_time(-since_monotonic(wait.until_ns)));
  return text;
}

}  // namespace

std::vector<std::string> doings_of(const inspect::live_look& look, const inspect::live_session& session,
                                   std::size_t index, inspect::code_names& names) {
  const inspect::session_process_report& process = session.report.processes[index];
  std::vector<const inspect::wait_report*> waits;
  for (const inspect::wait_report& each : look.waits) {
    if (each.realm == session.realm && each.process == process.id) waits.push_back(&each);
  }
  std::vector<std::string> lines;
  for (const inspect::run_report& run : session.live[index].runs) {
    std::string line;
    for (const inspect::wait_report*& each : waits) {
      if (each == nullptr || each->thread != run.thread) continue;
      line += (line.empty() ? "" : ", or ") + wait_text(*each);
      each = nullptr;
    }
    // What it waits for says more than where, if there is not room for both.
    line += fmt::format("{}{}, {}", line.empty() ? "" : "; in ", printable(run_text(run, process.who.pid, names)),
                        readable_time(since_monotonic(run.since_ns)));
    lines.push_back(std::move(line));
  }
  for (const inspect::wait_report* each : waits) {
    if (each != nullptr) lines.push_back(wait_text(*each));
  }
  if (lines.empty()) lines.emplace_back(process.id == kControlProcess ? "-" : "idle");
  return lines;
}

std::string fitted(const std::string& text, std::size_t used) {
  constexpr std::size_t kLeast = 20;  // less tells nothing: let it wrap
  const std::size_t columns = terminal_columns().value_or(0);
  if (columns == 0) return text;
  return shortened(text, columns > used + kLeast ? columns - used : kLeast);
}

std::string wrapped(std::string_view text, std::size_t indent) {
  constexpr std::size_t kFurther = 4;
  constexpr std::size_t kLeast = 20;
  const std::size_t columns = terminal_columns().value_or(0);
  std::string out(indent, ' ');
  std::size_t used = indent;
  bool is_first = true;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(std::min(space + 1, text.size()));
    const std::size_t width = width_of(word);
    if (!is_first && columns != 0 && used + 1 + width > std::max(columns, indent + kLeast)) {
      used = indent + kFurther;
      out += '\n' + std::string(used, ' ');
    } else if (!is_first) {
      out += ' ';
      ++used;
    }
    out += word;
    used += width;
    is_first = false;
  }
  return out + '\n';
}

json seconds_since(std::int64_t monotonic_ns) { return static_cast<double>(since_monotonic(monotonic_ns)) / 1e9; }

json to_json(const inspect::wait_report& wait) {
  json out{{"for", inspect::text_of(wait.what)}, {"text", wait.text}};
  out["object"] = wait.object.empty() ? json(nullptr) : json(wait.object);
  out["of_process"] = wait.of == 0 ? json(nullptr) : json(wait.of);
  out["pid"] = wait.who.pid;
  out["thread"] = wait.thread;
  out["since_s"] = seconds_since(wait.since_ns);
  out["until_s"] =
      wait.until_ns == 0 ? json(nullptr) : json(-static_cast<double>(since_monotonic(wait.until_ns)) / 1e9);
  return out;
}

json to_json(const inspect::run_report& run, std::int32_t pid, inspect::code_names& names) {
  const bool is_call = run.trampoline != 0;
  return {{"function", is_call ? json(run_text(run, pid, names)) : json(nullptr)},
          {"caller", is_call ? json(run.caller) : json(nullptr)},
          {"wants_answer", is_call && run.slot != runtime::kNoSlot},
          {"thread", run.thread},
          {"since_s", seconds_since(run.since_ns)}};
}

}  // namespace weir::command
