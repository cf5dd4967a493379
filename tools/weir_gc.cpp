// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "inspect/segments.hpp"
#include "runtime/leftovers.hpp"
#include "segment/space.hpp"
#include "weir_commands.hpp"
#include "weir_json.hpp"
#include "weir_output.hpp"

namespace weir::command {
namespace {

struct gc_options {
  std::vector<std::string> patterns;  // none: all segments
  bool dry_run = false;
  bool json = false;
};

using runtime::fate;
using runtime::leftover;

struct totals {
  std::uint64_t removed = 0;
  std::uint64_t freed_bytes = 0;
  std::uint64_t released = 0;
  std::uint64_t undecided = 0;
};

totals count(const std::vector<leftover>& found) {
  totals sum;
  for (const leftover& each : found) {
    if (each.what == fate::removed) ++sum.removed, sum.freed_bytes += each.bytes;
    if (each.what == fate::released) ++sum.released;
    if (each.what == fate::undecided) ++sum.undecided;
  }
  return sum;
}

const char* text_of(fate what, bool is_dry_run) noexcept {
  switch (what) {
    case fate::removed: return is_dry_run ? "would remove" : "removed";
    case fate::released: return is_dry_run ? "would release" : "released";
    case fate::undecided: return "not known";
    case fate::kept: break;
  }
  return "kept";
}

style style_of_fate(const leftover& found) noexcept {
  if (found.what == fate::undecided) return found.is_problem ? style::warning : style::faint;
  return style::good;
}

void print_table(const std::vector<leftover>& found, bool is_dry_run) {
  constexpr std::size_t kLeastWhy = 24;
  table out({"DONE", "NAME", "KIND", ">RESERVED", ">AGE", "WHY"});
  out.may_shrink("WHY", kLeastWhy);
  for (const char* column : {"AGE", "RESERVED"}) out.may_go(column);
  for (const leftover& each : found) {
    if (each.what == fate::kept) continue;
    out.add({{text_of(each.what, is_dry_run), style_of_fate(each)},
             {printable(each.name)},
             {std::string(each.kind)},
             {shm::readable(each.bytes)},
             {each.created_ns == 0 ? "-" : readable_time(since_real(each.created_ns))},
             {printable(each.why)}});
  }
  if (!out.empty()) out.print();
}

void print_totals(const totals& sum, bool is_dry_run) {
  const std::string released = sum.released == 0 ? "" : fmt::format(", {} released", sum.released);
  const std::string undecided = sum.undecided == 0 ? "" : fmt::format(", {} not known and kept", sum.undecided);
  fmt::print("{}{} removed, {} freed{}{}\n", is_dry_run ? "would be: " : "", counted(sum.removed, "segment"),
             shm::readable(sum.freed_bytes), released, undecided);
}

json leftovers_json(const std::vector<leftover>& found, const totals& sum, bool is_dry_run) {
  json out{{"dry_run", is_dry_run}, {"segments", json::array()}};
  for (const leftover& each : found) {
    if (each.what == fate::kept) continue;
    json one{{"name", each.name}};
    one["action"] = each.what == fate::removed ? "remove" : each.what == fate::released ? "release" : "keep";
    one["kind"] = each.kind == "-" ? json(nullptr) : json(each.kind);
    one["reserved_bytes"] = each.bytes;
    one["age_s"] = each.created_ns == 0 ? json(nullptr) : json(static_cast<double>(since_real(each.created_ns)) / 1e9);
    one["why"] = each.why;
    one["problem"] = each.is_problem;
    out["segments"].push_back(std::move(one));
  }
  out["removed"] = sum.removed;
  out["freed_bytes"] = sum.freed_bytes;
  out["released"] = sum.released;
  out["kept"] = sum.undecided;
  return out;
}

int run(const gc_options& options) {
  const auto is_chosen = [&](std::string_view name) {
    return options.patterns.empty() ||
           std::any_of(options.patterns.begin(), options.patterns.end(),
                       [&](const std::string& pattern) { return inspect::matches(pattern, std::string(name)); });
  };
  const std::vector<leftover> found = runtime::sweep({.chooses = is_chosen, .is_dry_run = options.dry_run});
  const totals sum = count(found);
  const bool matches_nothing = found.empty() && !options.patterns.empty();
  if (matches_nothing) fmt::print(stderr, "weir: gc: no segment's name matches (weir ls lists all)\n");
  if (options.json) {
    print(leftovers_json(found, sum, options.dry_run));
  } else if (!matches_nothing) {
    print_table(found, options.dry_run);
    print_totals(sum, options.dry_run);
  }
  const bool leaves_some = options.dry_run && sum.removed + sum.released != 0;
  const bool problem = std::any_of(found.begin(), found.end(), [](const leftover& each) { return each.is_problem; });
  return matches_nothing || leaves_some || problem ? kProblem : kFine;
}

}  // namespace

void add_gc(CLI::App& app, action& chosen) {
  const auto options = std::make_shared<gc_options>();
  CLI::App* const self = app.add_subcommand("gc", "Removes what only dead processes held, and nothing else");
  self->add_option("PATTERN", options->patterns, "Only names that match one of them, with * and ? as in a shell");
  self->add_flag("--dry-run", options->dry_run, "Only say what would be done");
  self->add_flag("--json", options->json, "Print JSON");
  on_parsed(*self, chosen, options, run);
}

}  // namespace weir::command
