// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "inspect/trace.hpp"
#include "inspect/trace_timeline.hpp"
#include "support/leftovers.hpp"
#include "support/session.hpp"

/// What tests ask of a trace.
namespace weir::tests {

using trace::event_kind;

inline std::vector<inspect::trace_event> events_of(const inspect::trace_report& report, event_kind kind) {
  std::vector<inspect::trace_event> found;
  for (const auto& process : report.processes) {
    for (const auto& event : process.events) {
      if (event.kind == kind) found.push_back(event);
    }
  }
  return found;
}

/// What is called so: "put jobs", "run square".
inline std::size_t count_of(const inspect::trace_report& report, const std::string& what) {
  std::size_t count = 0;
  for (const auto& process : report.processes) {
    for (const auto& event : process.events) {
      if (text_of(event) + ' ' + object_of(process, event) == what) ++count;
    }
  }
  return count;
}

/// Whole records only, of processes that can be read, each ring's in the order of their times; flows go forward.
inline void expect_sound(const inspect::trace_report& report) {
  for (const auto& process : report.processes) {
    EXPECT_EQ(process.why, "") << "process " << process.id;
    EXPECT_EQ(process.damaged, 0U) << "process " << process.id;
    EXPECT_TRUE(std::is_sorted(process.events.begin(), process.events.end(),
                               [](const auto& a, const auto& b) { return a.time_ns < b.time_ns; }));
  }
  const inspect::trace_timeline timeline = make_timeline(report);
  for (const auto& flow : timeline.flows) {
    EXPECT_LE(timeline.slices[flow.from].begin_ns, timeline.slices[flow.to].begin_ns);
  }
}

inline std::vector<std::string> traces() {
  std::vector<std::string> names;
  for (const std::string& name : segments()) {
    if (name.find(".trace.") != std::string::npos) names.push_back(name);
  }
  return names;
}

}  // namespace weir::tests
