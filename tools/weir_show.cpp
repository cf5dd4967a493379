// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <cstdio>
#include <string>
#include <utility>

#include "inspect/array.hpp"
#include "inspect/channel.hpp"
#include "inspect/segments.hpp"
#include "inspect/session.hpp"
#include "inspect/team.hpp"
#include "segment/names.hpp"
#include "segment/space.hpp"
#include "weir_commands.hpp"
#include "weir_json.hpp"
#include "weir_output.hpp"
#include "weir_show_parts.hpp"

namespace weir::command {
namespace {

struct show_options {
  std::string name;
  bool json = false;
  bool slots = false;
};

/// Nothing of the kind's own can be shown: only the file and its header.
void show_plain(const inspect::segment_report& s) {
  show_title(s, {});
  show_segment(s);
}

/// Why it cannot be shown at all, for stderr; empty: it can.
std::string refusal(const inspect::segment_report& s) {
  const std::string name = printable(s.name);
  switch (s.state) {
    case inspect::segment_state::absent:
      return fmt::format("weir: show \"{}\": nothing has that name (weir ls lists what there is)", name);
    case inspect::segment_state::foreign: return fmt::format("weir: show \"{}\": {}", name, s.why);
    case inspect::segment_state::corrupt:
      return fmt::format("weir: show \"{}\": corrupt: {} (to remove it: rm '/dev/shm/{}{}')", name, printable(s.why),
                         shm::kFilePrefix, name);
    case inspect::segment_state::other_layout:
      return fmt::format("weir: show \"{}\": {} (use the weir of the program that made it)", name, s.why);
    default: return {};
  }
}

int run(const show_options& options) {
  inspect::checked_segment checked = inspect::check_segment(inspect::resolve_name(options.name));
  const auto is = [&checked](shm::object_kind kind) {
    return checked.report.header && checked.report.header->kind == kind;
  };
  inspect::segment_report segment;
  json as_json;
  bool contradicts = false;
  if (is(shm::object_kind::channel)) {
    const inspect::channel_report report = inspect::describe_channel(std::move(checked));
    segment = report.segment;
    contradicts = !report.problems.empty();
    if (options.json) as_json = to_json(report, options.slots);
    if (!options.json && report.readable) show_channel(report, options.slots);
  } else if (is(shm::object_kind::array)) {
    const inspect::array_report report = inspect::describe_array(std::move(checked));
    segment = report.segment;
    contradicts = !report.problems.empty();
    if (options.json) as_json = to_json(report);
    if (!options.json && report.readable) show_array(report);
  } else if (is(shm::object_kind::session)) {
    const inspect::session_report report = inspect::describe_session(std::move(checked));
    segment = report.segment;
    if (options.json) as_json = to_json(report);
    if (!options.json && report.readable) show_session(report);
  } else if (is(shm::object_kind::team)) {
    const inspect::team_report report = inspect::describe_team(std::move(checked));
    segment = report.segment;
    if (options.json) as_json = to_json(report);
    if (!options.json && report.readable) show_team(report);
  } else {
    inspect::settle_state(checked.report, {}, /*pinned=*/false);
    segment = std::move(checked.report);
    if (options.json) as_json = to_json(segment);
    if (!options.json && segment.header) show_plain(segment);
  }
  const std::string refused = refusal(segment);
  if (options.json && segment.state != inspect::segment_state::absent) print(as_json);
  if (!refused.empty()) fmt::print(stderr, "{}\n", refused);
  return contradicts || !refused.empty() || inspect::is_problem(segment.state) ? kProblem : kFine;
}

}  // namespace

void add_show(CLI::App& app, action& chosen) {
  const auto options = std::make_shared<show_options>();
  CLI::App* const self = app.add_subcommand("show", "Shows one segment: state, counters, who waits, what is wrong");
  self->add_option("NAME", options->name, "Its name, with or without the leading `weir.`")->required();
  self->add_flag("--json", options->json, "Print JSON");
  self->add_flag("--slots", options->slots, "Show each slot and block of a channel");
  on_parsed(*self, chosen, options, run);
}

}  // namespace weir::command
