// SPDX-License-Identifier: BSL-1.0
#include "inspect/doctor.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "weir_commands.hpp"
#include "weir_json.hpp"
#include "weir_output.hpp"

namespace weir::command {
namespace {

using inspect::severity;

struct doctor_options {
  bool json = false;
};

style style_of_severity(severity level) {
  switch (level) {
    case severity::ok: return style::good;
    case severity::warning: return style::warning;
    case severity::problem: return style::bad;
  }
  return style::plain;
}

int run(const doctor_options& options) {
  const std::vector<inspect::finding> findings = inspect::examine();
  const auto count = [&](severity level) {
    return std::count_if(findings.begin(), findings.end(), [&](const auto& each) { return each.level == level; });
  };
  if (options.json) {
    json out{{"problems", count(severity::problem)}, {"warnings", count(severity::warning)}};
    out["findings"] = json::array();
    for (const inspect::finding& each : findings) {
      out["findings"].push_back({{"check", each.check},
                                 {"level", inspect::text_of(each.level)},
                                 {"found", each.found},
                                 {"mend", each.mend.empty() ? json(nullptr) : json(each.mend)}});
    }
    print(out);
  } else {
    for (const inspect::finding& each : findings) {
      fmt::print("{}  {:<13}  {}\n",
                 painted(fmt::format("{:<7}", inspect::text_of(each.level)), style_of_severity(each.level)), each.check,
                 printable(each.found));
      if (!each.mend.empty()) fmt::print("{:24}to mend it: {}\n", "", printable(each.mend));
    }
    fmt::print("{}, {}\n", counted(static_cast<std::uint64_t>(count(severity::problem)), "problem"),
               counted(static_cast<std::uint64_t>(count(severity::warning)), "warning"));
  }
  return count(severity::problem) != 0 ? kProblem : kFine;
}

}  // namespace

void add_doctor(CLI::App& app, action& chosen) {
  const auto options = std::make_shared<doctor_options>();
  CLI::App* const self = app.add_subcommand(
      "doctor", "Examines the machine: shared memory, limits, kernel, segments; says how to mend what is wrong");
  self->add_flag("--json", options->json, "Print JSON");
  on_parsed(*self, chosen, options, run);
}

}  // namespace weir::command
