// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>

#include "inspect/segments.hpp"
#include "segment/space.hpp"
#include "weir_commands.hpp"
#include "weir_json.hpp"
#include "weir_output.hpp"

namespace weir::command {
namespace {

struct ls_options {
  std::string pattern;
  std::string kind;
  std::string session;
  bool names = false;
  bool json = false;
};

/// Every kind of segment under the name that it is known by.
std::map<std::string, shm::object_kind> kinds() {
  constexpr std::uint32_t kMost = 32;
  std::map<std::string, shm::object_kind> all;
  for (std::uint32_t number = 1; number < kMost; ++number) {
    const shm::object_kind kind{number};
    all.try_emplace(inspect::text_of(kind), kind);
  }
  all.erase("?");
  return all;
}

std::vector<std::string> names_of_kinds() {
  std::vector<std::string> names;
  for (const auto& [name, kind] : kinds()) names.push_back(name);
  return names;
}

std::optional<shm::object_kind> kind_called(const std::string& name) {
  const auto all = kinds();
  const auto at = all.find(name);
  return at == all.end() ? std::nullopt : std::optional(at->second);
}

std::string items_of(const inspect::segment_report& s) {
  if (!s.items) return "-";
  if (s.capacity) return fmt::format("{}/{}", *s.items, *s.capacity);
  if (s.header && s.header->kind == shm::object_kind::array) return std::to_string(*s.items);
  return counted(*s.items, "worker");
}

std::string state_of(const inspect::segment_report& s) {
  const bool says_why = inspect::is_problem(s.state) || s.state == inspect::segment_state::unknown;
  if (!says_why) return inspect::text_of(s.state);
  return fmt::format("{}: {}", inspect::text_of(s.state), printable(s.why));
}

std::vector<table::cell> row_of(const inspect::segment_report& s) {
  const auto& h = s.header;
  return {{printable(s.name)},
          {h ? inspect::text_of(h->kind) : "-"},
          {h && !h->type.empty() ? printable(h->type) : "-"},
          {items_of(s)},
          {shm::readable(s.reserved_bytes)},
          {s.used_bytes ? shm::readable(*s.used_bytes) : "-"},
          {h ? fmt::format("{}:{}", user_name(s.owner), h->creator.pid) : user_name(s.owner)},
          {h ? readable_time(since_real(h->created_ns)) : "-"},
          {state_of(s), style_of(s.state)}};
}

void print_table(const std::vector<inspect::segment_report>& segments) {
  constexpr std::size_t kLeastType = 10;
  constexpr std::size_t kLeastState = 16;  // its word at least
  table out({"NAME", "KIND", "TYPE", ">ITEMS", ">RESERVED", ">USED", "OWNER", ">AGE", "STATE"});
  out.may_shrink("TYPE", kLeastType);
  out.may_shrink("STATE", kLeastState);
  for (const char* column : {"USED", "OWNER", "AGE", "TYPE"}) out.may_go(column);
  for (const auto& s : segments) out.add(row_of(s));
  out.print();
}

std::string chosen_by(const ls_options& options) {
  std::string text;
  if (!options.pattern.empty()) text += fmt::format(" has a name that matches \"{}\"", printable(options.pattern));
  if (!options.kind.empty()) text += fmt::format("{} is a {}", text.empty() ? "" : " and", options.kind);
  if (!options.session.empty()) {
    text += fmt::format("{} belongs to a session \"{}\"", text.empty() ? "" : " and", printable(options.session));
  }
  return text;
}

int run(const ls_options& options) {
  const auto segments = inspect::list({options.pattern, kind_called(options.kind), options.session});
  const std::string chosen = chosen_by(options);
  const bool finds_none = segments.empty() && !chosen.empty();
  if (finds_none) fmt::print(stderr, "weir: ls: no segment{} (weir ls lists all)\n", chosen);
  if (options.json) {
    json all = json::array();
    for (const auto& s : segments) all.push_back(to_json(s));
    print(all);
  } else if (options.names) {
    for (const auto& s : segments) fmt::print("{}\n", printable(s.name));
  } else if (!segments.empty()) {
    print_table(segments);
  } else if (!finds_none) {
    fmt::print("no weir segments\n");
  }
  const bool problem =
      std::any_of(segments.begin(), segments.end(), [](const auto& s) { return inspect::is_problem(s.state); });
  return finds_none || problem ? kProblem : kFine;
}

}  // namespace

void add_ls(CLI::App& app, action& chosen) {
  const auto options = std::make_shared<ls_options>();
  CLI::App* const self = app.add_subcommand("ls", "Lists the segments: what they hold, whose they are, if they live");
  self->add_option("PATTERN", options->pattern, "Only names that match it, with * and ? as in a shell");
  self->add_option("--kind", options->kind, "Only segments of that kind")->check(CLI::IsMember(names_of_kinds()));
  self->add_option("--session", options->session,
                   "Only what a session has made: its realm, as ls shows it after the @, or a pattern for it");
  CLI::Option* const names = self->add_flag("--names", options->names, "Print names alone, one on a line");
  self->add_flag("--json", options->json, "Print JSON")->excludes(names);
  self->footer(
      "A segment is alive if a living process holds it, idle if it has a name of its own and nobody has it open, stale "
      "if only dead processes hold it (weir gc), foreign if it is another user's, unknown if its processes belong to "
      "another pid namespace; of other layouts, and of corrupt ones, it is said what is wrong.\n\n"
      "On a terminal that is too narrow, types and reasons are shortened, then columns are left out: weir show tells "
      "all, and so does ls into a pipe or a file.");
  on_parsed(*self, chosen, options, run);
}

}  // namespace weir::command
