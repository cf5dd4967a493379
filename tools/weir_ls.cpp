// SPDX-License-Identifier: BSL-1.0
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "inspect/segments.hpp"
#include "segment/space.hpp"
#include "weir_commands.hpp"
#include "weir_json.hpp"
#include "weir_output.hpp"

namespace weir::command {
namespace {

struct ls_options {
  std::string pattern;
  bool json = false;
};

constexpr std::size_t kTypeColumns = 40;

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
          {h && !h->type.empty() ? shortened(h->type, kTypeColumns) : "-"},
          {items_of(s)},
          {shm::readable(s.reserved_bytes)},
          {s.used_bytes ? shm::readable(*s.used_bytes) : "-"},
          {h ? fmt::format("{}:{}", user_name(s.owner), h->creator.pid) : user_name(s.owner)},
          {h ? readable_time(since_real(h->created_ns)) : "-"},
          {state_of(s), style_of(s.state)}};
}

int run(const ls_options& options) {
  const auto segments = inspect::list(options.pattern);
  if (segments.empty() && !options.pattern.empty()) {
    fmt::print(stderr, "weir: ls: no segment's name matches \"{}\" (weir ls lists all)\n", printable(options.pattern));
    if (options.json) print(json::array());
    return kProblem;
  }
  if (options.json) {
    json all = json::array();
    for (const auto& s : segments) all.push_back(to_json(s));
    print(all);
  } else if (segments.empty()) {
    fmt::print("no weir segments\n");
  } else {
    table out({"NAME", "KIND", "TYPE", ">ITEMS", ">RESERVED", ">USED", "OWNER", ">AGE", "STATE"});
    for (const auto& s : segments) out.add(row_of(s));
    out.print();
  }
  const bool problem =
      std::any_of(segments.begin(), segments.end(), [](const auto& s) { return inspect::is_problem(s.state); });
  return problem ? kProblem : kFine;
}

}  // namespace

void add_ls(CLI::App& app, action& chosen) {
  const auto options = std::make_shared<ls_options>();
  CLI::App* const self = app.add_subcommand("ls", "Lists the segments: what they hold, whose they are, if they live");
  self->add_option("PATTERN", options->pattern, "Only names that match it, with * and ? as in a shell");
  self->add_flag("--json", options->json, "Print JSON");
  on_parsed(*self, chosen, options, run);
}

}  // namespace weir::command
