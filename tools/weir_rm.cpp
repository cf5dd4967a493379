// SPDX-License-Identifier: BSL-1.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <set>

#include "inspect/array.hpp"
#include "inspect/channel.hpp"
#include "inspect/segments.hpp"
#include "segment/segment.hpp"
#include "segment/space.hpp"
#include "weir/error.hpp"
#include "weir_commands.hpp"
#include "weir_output.hpp"
#include "weir_values.hpp"

namespace weir::command {
namespace {

struct rm_options {
  std::vector<std::string> names;
  bool yes = false;
  bool dry_run = false;
  bool force = false;
  bool json = false;
};

using inspect::segment_report;
using inspect::segment_state;

struct candidate {
  segment_report segment;
  std::vector<std::int32_t> users;  // processes that have it
  std::string refused;              // why it is not removed; empty: it may be
  bool is_removed = false;
};

/// The session whose name begins so lives, or it cannot be told.
bool session_lives(const std::string& name) {
  const std::string realm = name.substr(0, name.find('.'));
  const segment_state state = inspect::look_at(realm + ".session").state;
  return state == segment_state::alive || state == segment_state::unknown;
}

std::vector<std::int32_t> users_of(const segment_report& segment) {
  std::set<std::int32_t> pids;
  if (!segment.header) return {};
  if (segment.header->kind == shm::object_kind::channel) {
    for (const auto& each : inspect::describe_channel(segment.name, inspect::effort::quick).participants) {
      if (each.life != shm::liveness::dead) pids.insert(each.who.pid);
    }
  } else if (segment.header->kind == shm::object_kind::array) {
    for (const auto& each : inspect::describe_array(segment.name).seats) {
      if (each.life != shm::liveness::dead) pids.insert(each.who.pid);
    }
  }
  return {pids.begin(), pids.end()};
}

candidate judge(segment_report segment, bool force) {
  candidate out;
  out.users = users_of(segment);
  if (segment.state == segment_state::foreign) {
    out.refused = segment.why;
  } else if (segment.name.starts_with('@') && !force) {
    if (segment.state == segment_state::alive || session_lives(segment.name)) {
      out.refused = "it belongs to a session that lives, which would not survive it (--force removes it all the same)";
    }
  }
  out.segment = std::move(segment);
  return out;
}

/// What the names and patterns stand for, each once, in their order. Those that stand for nothing go to `unknown`.
std::vector<candidate> find(const rm_options& options, std::vector<std::string>& unknown) {
  std::vector<candidate> found;
  const auto add = [&](segment_report segment) {
    const auto is_it = [&](const candidate& each) { return each.segment.name == segment.name; };
    if (std::none_of(found.begin(), found.end(), is_it)) found.push_back(judge(std::move(segment), options.force));
  };
  for (const std::string& given : options.names) {
    segment_report exact = inspect::look_at(inspect::resolve_name(given));
    if (exact.state != segment_state::absent) {
      add(std::move(exact));
      continue;
    }
    std::vector<segment_report> all;
    if (given.find_first_of("*?[") != std::string::npos) all = inspect::list(given);
    if (all.empty()) unknown.push_back(given);
    for (segment_report& each : all) add(std::move(each));
  }
  return found;
}

struct removal_totals {
  std::uint64_t removed = 0;
  std::uint64_t bytes = 0;  // that they have reserved: freed once the last process that has one open lets go of it
};
bool goes(const candidate& each, bool is_dry_run) noexcept {
  return each.refused.empty() && (is_dry_run || each.is_removed);
}
removal_totals count(const std::vector<candidate>& found, bool is_dry_run) {
  removal_totals sum;
  for (const candidate& each : found) {
    if (goes(each, is_dry_run)) ++sum.removed, sum.bytes += each.segment.reserved_bytes;
  }
  return sum;
}

std::string users_text(const candidate& each) {
  if (each.users.empty()) return "nobody";
  return fmt::format("pid {} ({} what {} open)", fmt::join(each.users, ", "), each.users.size() == 1 ? "keeps" : "keep",
                     each.users.size() == 1 ? "it has" : "they have");
}

const char* kind_of(const segment_report& segment) {
  return segment.header ? inspect::text_of(segment.header->kind) : "-";
}

void print_table(const std::vector<candidate>& found, std::string_view done) {
  table out({"DONE", "NAME", "KIND", ">RESERVED", "STATE", "USED BY"});
  for (const candidate& each : found) {
    const bool is_refused = !each.refused.empty();
    out.add({{is_refused ? "kept" : std::string(done), is_refused ? style::warning : style::good},
             {printable(each.segment.name)},
             {kind_of(each.segment)},
             {shm::readable(each.segment.reserved_bytes)},
             {inspect::text_of(each.segment.state), style_of(each.segment.state)},
             {is_refused ? printable(each.refused) : users_text(each)}});
  }
  if (!out.empty()) out.print();
}

void print_totals(const std::vector<candidate>& found, bool is_dry_run) {
  const removal_totals sum = count(found, is_dry_run);
  fmt::print("{}{} removed, {} freed\n", is_dry_run ? "would be: " : "", counted(sum.removed, "segment"),
             shm::readable(sum.bytes));
}

json removal_json(const std::vector<candidate>& found, const std::vector<std::string>& unknown, bool is_dry_run) {
  json out{{"dry_run", is_dry_run}, {"segments", json::array()}, {"unknown", unknown}};
  for (const candidate& each : found) {
    out["segments"].push_back({{"name", each.segment.name},
                               {"kind", each.segment.header ? json(kind_of(each.segment)) : json(nullptr)},
                               {"state", inspect::text_of(each.segment.state)},
                               {"reserved_bytes", each.segment.reserved_bytes},
                               {"users", each.users},
                               {"action", goes(each, is_dry_run) ? "remove" : "keep"},
                               {"why", each.refused.empty() ? json(nullptr) : json(each.refused)}});
  }
  const removal_totals sum = count(found, is_dry_run);
  out["removed"] = sum.removed;
  out["reserved_bytes"] = sum.bytes;
  return out;
}

/// Asks on the terminal.
bool is_told_to(std::size_t count) {
  fmt::print(stderr, "remove {}? [y/N] ", count == 1 ? "it" : fmt::format("these {} segments", count));
  std::string answer;
  return std::getline(std::cin, answer) && (answer == "y" || answer == "Y" || answer == "yes");
}

void remove(candidate& each) {
  try {
    shm::segment::remove("remove", each.segment.name);
    each.is_removed = true;
  } catch (const error& e) {
    each.refused = e.what();
  }
}

int run(const rm_options& options) {
  const bool must_ask = !options.yes && !options.dry_run;
  if (must_ask && (options.json || ::isatty(STDIN_FILENO) != 1)) {
    complain("rm", options.names.front(),
             fmt::format("{}: say --yes, or --dry-run to see what would go",
                         options.json ? "--json does not ask" : "there is no terminal to ask on"));
    return kUsage;
  }
  std::vector<std::string> unknown;
  std::vector<candidate> found = find(options, unknown);
  for (const std::string& name : unknown) complain("rm", name, "nothing has that name (weir ls lists what there is)");
  const auto can_go = [](const candidate& each) { return each.refused.empty(); };
  const auto removable = static_cast<std::size_t>(std::count_if(found.begin(), found.end(), can_go));
  if (must_ask && removable != 0) {
    print_table(found, "to remove");
    std::fflush(stdout);
    if (!is_told_to(removable)) {
      fmt::print(stderr, "nothing was removed\n");
      return kProblem;
    }
  }
  if (!options.dry_run) {
    for (candidate& each : found) {
      if (can_go(each)) remove(each);
    }
  }
  if (options.json) {
    print(removal_json(found, unknown, options.dry_run));
  } else {
    if (!must_ask || removable == 0) print_table(found, options.dry_run ? "would remove" : "removed");
    if (!found.empty()) print_totals(found, options.dry_run);
  }
  for (const candidate& each : found) {
    if (!each.refused.empty()) complain("rm", each.segment.name, each.refused);
  }
  return unknown.empty() && std::all_of(found.begin(), found.end(), can_go) ? kFine : kProblem;
}

}  // namespace

void add_rm(CLI::App& app, action& chosen) {
  const auto options = std::make_shared<rm_options>();
  CLI::App* const self = app.add_subcommand("rm", "Removes segments by name, after asking; who has one open keeps it");
  self->add_option("NAME", options->names, "Names, with or without the leading `weir.`, or patterns with * and ?")
      ->required();
  self->add_flag("-y,--yes", options->yes, "Do not ask");
  self->add_flag("--dry-run", options->dry_run, "Only say what would be done");
  self->add_flag("--force", options->force, "Also what belongs to a session that lives");
  self->add_flag("--json", options->json, "Print JSON");
  on_parsed(*self, chosen, options, run);
}

}  // namespace weir::command
