// SPDX-License-Identifier: BSL-1.0
#include "weir_top_frame.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <utility>

#include "segment/space.hpp"
#include "weir_live_parts.hpp"
#include "weir_output.hpp"

namespace weir::command {
namespace {

using inspect::watched_channel;

constexpr std::size_t kBarColumns = 10;
constexpr std::size_t kLeastName = 12;

/// A column of a section.
struct column {
  std::string heading;
  bool to_the_right = false;
};

/// Rows under headings; the one column `flexible` takes what the others leave of the line.
class section {
 public:
  section(std::vector<column> columns, std::size_t flexible) : columns_(std::move(columns)), flexible_(flexible) {}
  void add(std::vector<table::cell> row) { rows_.push_back(std::move(row)); }

  void write(std::size_t width, std::vector<std::string>& out) const {
    std::vector<std::size_t> widths;
    for (const column& each : columns_) widths.push_back(width_of(each.heading));
    for (const auto& row : rows_) {
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i].text));
    }
    std::size_t others = 0;
    for (std::size_t i = 0; i < widths.size(); ++i) others += i == flexible_ ? 2 : widths[i] + 2;
    if (width != 0) {
      widths[flexible_] = std::min(widths[flexible_], width > others + kLeastName ? width - others : kLeastName);
    }
    std::vector<table::cell> headings;
    for (const column& each : columns_) headings.push_back({each.heading, style::faint});
    out.push_back(line_of(headings, widths));
    for (const auto& row : rows_) out.push_back(line_of(row, widths));
  }

 private:
  [[nodiscard]] std::string line_of(const std::vector<table::cell>& row, const std::vector<std::size_t>& widths) const {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string text = width_of(row[i].text) > widths[i] ? shortened(row[i].text, widths[i]) : row[i].text;
      const std::string space(widths[i] - width_of(text), ' ');
      if (columns_[i].to_the_right) line += space;
      line += painted(text, row[i].how);
      if (i + 1 == row.size()) break;
      if (!columns_[i].to_the_right) line += space;
      line += "  ";
    }
    return line;
  }

  std::vector<column> columns_;
  std::size_t flexible_;
  std::vector<std::vector<table::cell>> rows_;
};

std::string rate_text(const std::optional<double>& rate) { return rate ? readable_rate(*rate) : "-"; }

/// "2 put 3.1 s": how many sleep, and how long the first of them.
std::string sleepers_text(const watched_channel& channel) {
  std::size_t takers = 0;
  for (const auto& each : channel.sleepers) takers += each.what == channels::waits_for::item ? 1U : 0U;
  const std::size_t putters = channel.sleepers.size() - takers;
  if (channel.sleepers.empty()) return "-";
  std::string text;
  if (takers != 0) text += fmt::format("{} take", takers);
  if (putters != 0) text += fmt::format("{}{} put", text.empty() ? "" : ", ", putters);
  return fmt::format("{} {}", text, readable_time(since_monotonic(channel.sleepers.front().since_ns)));
}

std::vector<const watched_channel*> in_order(const inspect::watch_frame& frame, const top_view& view) {
  std::vector<const watched_channel*> all;
  for (const watched_channel& each : frame.channels) {
    if (view.with_internal || !each.internal) all.push_back(&each);
  }
  const auto key = [&](const watched_channel& c) -> double {
    switch (view.order) {
      case top_order::busy: return c.puts_per_s.value_or(0) + c.takes_per_s.value_or(0);
      case top_order::full: return c.capacity == 0 ? 0 : static_cast<double>(c.items) / static_cast<double>(c.capacity);
      case top_order::waiting:
        return c.sleepers.empty() ? 0 : static_cast<double>(since_monotonic(c.sleepers.front().since_ns));
      case top_order::memory: return static_cast<double>(c.memory_bytes);
      case top_order::name: break;
    }
    return 0;
  };
  std::stable_sort(all.begin(), all.end(), [&](const auto* a, const auto* b) { return key(*a) > key(*b); });
  return all;
}

void write_channels(const inspect::watch_frame& frame, const top_view& view, std::vector<std::string>& out) {
  const auto all = in_order(frame, view);
  if (all.empty()) return;
  out.emplace_back();
  section rows({{"CHANNEL"}, {"IN/s", true}, {"OUT/s", true}, {"FILL"}, {"ITEMS", true}, {"WAITING"}, {"MEMORY", true}},
               0);
  for (const watched_channel* c : all) {
    const bool is_full = c->capacity != 0 && c->items >= c->capacity;
    rows.add({{printable(c->name), c->closed ? style::faint : style::plain},
              {rate_text(c->puts_per_s)},
              {rate_text(c->takes_per_s)},
              {bar(c->items, c->capacity, kBarColumns), is_full ? style::warning : style::good},
              {fmt::format("{}/{}", c->items, c->capacity)},
              {c->closed ? "closed" : sleepers_text(*c)},
              {shm::readable(c->memory_bytes)}});
  }
  rows.write(view.columns, out);
}

void write_processes(const inspect::watch_frame& frame, const top_view& view, inspect::code_names& names,
                     std::vector<std::string>& out) {
  for (std::size_t s = 0; s < frame.look.sessions.size(); ++s) {
    const auto& session = frame.look.sessions[s];
    out.emplace_back();
    out.push_back(painted(fmt::format("session {}", printable(session.realm)), style::faint));
    section rows({{"ID", true}, {"PID", true}, {"CPU%", true}, {"CALLS/s", true}, {"SERVED", true}, {"DOING"}}, 5);
    for (const inspect::watched_process& each : frame.processes) {
      if (each.session != s) continue;
      const auto& p = session.report.processes[each.index];
      const auto doings = doings_of(frame.look, session, each.index, names);
      std::string doing = doings.front();
      if (doings.size() > 1) doing += fmt::format(" (and {} more)", doings.size() - 1);
      rows.add({{std::to_string(p.id)},
                {std::to_string(p.who.pid)},
                {each.cpu_percent ? fmt::format("{:.0f}", *each.cpu_percent) : "-"},
                {rate_text(each.calls_per_s)},
                {std::to_string(p.calls_served)},
                {each.stopped ? "stopped by a signal" : doing, each.stopped ? style::warning : style::plain}});
    }
    rows.write(view.columns, out);
  }
}

std::string shape_of(const inspect::array_report& array) {
  std::string text;
  for (const std::uint64_t extent : array.extents) text += fmt::format("{}{}", text.empty() ? "" : "x", extent);
  return text;
}

std::string lock_text_of(const inspect::array_report& array) {
  if (array.locked_alone && array.lock.pid != 0) return fmt::format("pid {}", array.lock.pid);
  std::size_t sharers = 0;
  for (const auto& seat : array.seats) sharers += seat.sharers;
  return sharers != 0 ? fmt::format("{} share it", sharers) : std::string("-");
}

void write_arrays(const inspect::watch_frame& frame, const top_view& view, std::vector<std::string>& out) {
  if (frame.look.arrays.empty()) return;
  out.emplace_back();
  section rows({{"ARRAY"}, {"SHAPE"}, {"MEMORY", true}, {"USERS", true}, {"LOCKED BY"}}, 0);
  for (const auto& array : frame.look.arrays) {
    rows.add({{printable(array.segment.name)},
              {shape_of(array)},
              {shm::readable(array.segment.reserved_bytes)},
              {std::to_string(array.seats.size())},
              {lock_text_of(array)}});
  }
  rows.write(view.columns, out);
}

}  // namespace

const char* text_of(top_order order) noexcept {
  switch (order) {
    case top_order::busy: return "busy";
    case top_order::full: return "full";
    case top_order::waiting: return "waiting";
    case top_order::memory: return "memory";
    case top_order::name: return "name";
  }
  return "?";
}

std::string readable_rate(double per_second) {
  if (per_second < 0.05) return "0";
  if (per_second < 99.95) return fmt::format("{:.1f}", per_second);
  if (per_second < 9999.5) return fmt::format("{:.0f}", per_second);
  if (per_second < 999.5e3) return fmt::format("{:.0f}k", per_second / 1e3);
  return fmt::format("{:.1f}M", per_second / 1e6);
}

std::string bar(std::uint64_t part, std::uint64_t whole, std::size_t columns) {
  // Something is not nothing, and less than all is not all.
  std::size_t full = whole == 0 ? 0 : static_cast<std::size_t>(part * columns / whole);
  if (part != 0 && full == 0) full = 1;
  std::string text = "[";
  for (std::size_t i = 0; i < columns; ++i) text += i < full ? '#' : '.';
  return text + ']';
}

std::vector<std::string> top_lines(const inspect::watch_frame& frame, const top_view& view,
                                   inspect::code_names& names) {
  const std::time_t now = std::time(nullptr);
  std::uint64_t memory = 0;
  for (const auto& channel : frame.channels) memory += channel.memory_bytes;
  for (const auto& array : frame.look.arrays) memory += array.segment.reserved_bytes;
  std::vector<std::string> out;
  out.push_back(fmt::format(
      "weir top  {:%H:%M:%S}  {}, {}, {}, {}; {}", fmt::localtime(now), counted(frame.look.sessions.size(), "session"),
      fmt::format("{} process{}", frame.processes.size(), frame.processes.size() == 1 ? "" : "es"),
      counted(in_order(frame, view).size(), "channel"), counted(frame.look.arrays.size(), "array"),
      shm::readable(memory)));
  write_processes(frame, view, names, out);
  write_channels(frame, view, out);
  write_arrays(frame, view, out);
  return out;
}

json to_json(const inspect::watch_frame& frame, const top_view& view, inspect::code_names& names) {
  const auto known = [](const std::optional<double>& value) { return value ? json(*value) : json(nullptr); };
  json out{{"since_last_s", known(frame.since_last_s)}, {"channels", json::array()}, {"processes", json::array()}};
  for (const watched_channel* c : in_order(frame, view)) {
    std::size_t takers = 0;
    for (const auto& each : c->sleepers) takers += each.what == channels::waits_for::item ? 1U : 0U;
    json one{{"name", c->name}, {"type", c->type}, {"closed", c->closed}};
    one["capacity"] = c->capacity;
    one["items"] = c->items;
    one["puts"] = c->puts;
    one["takes"] = c->takes;
    one["puts_per_s"] = known(c->puts_per_s);
    one["takes_per_s"] = known(c->takes_per_s);
    one["reserved_bytes"] = c->memory_bytes;
    one["takers_waiting"] = takers;
    one["putters_waiting"] = c->sleepers.size() - takers;
    one["longest_wait_s"] = c->sleepers.empty() ? json(nullptr) : seconds_since(c->sleepers.front().since_ns);
    out["channels"].push_back(std::move(one));
  }
  for (const auto& each : frame.processes) {
    const auto& session = frame.look.sessions[each.session];
    const auto& p = session.report.processes[each.index];
    json one{{"realm", session.realm}, {"id", p.id}, {"pid", p.who.pid}, {"stopped", each.stopped}};
    one["cpu_percent"] = known(each.cpu_percent);
    one["calls_per_s"] = known(each.calls_per_s);
    one["calls_served"] = p.calls_served;
    one["resident_bytes"] = each.resident_bytes;
    one["runs"] = json::array();
    for (const auto& run : session.live[each.index].runs) one["runs"].push_back(to_json(run, p.who.pid, names));
    out["processes"].push_back(std::move(one));
  }
  out["arrays"] = json::array();
  for (const auto& array : frame.look.arrays) {
    const bool is_held = array.locked_alone && array.lock.pid != 0;
    out["arrays"].push_back({{"name", array.segment.name},
                             {"extents", array.extents},
                             {"reserved_bytes", array.segment.reserved_bytes},
                             {"users", array.seats.size()},
                             {"locked_by_pid", is_held ? json(array.lock.pid) : json(nullptr)}});
  }
  return out;
}

}  // namespace weir::command
