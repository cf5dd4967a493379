// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include "weir_output.hpp"
#include "weir_show_parts.hpp"

namespace weir::command {

using inspect::text_of;

void show_team(const inspect::team_report& report) {
  show_title(report.segment, counted(report.ranks.size(), "rank"));
  show_segment(report.segment);
  if (!report.failed.empty()) show_line("failed", painted(printable(report.failed), style::bad));
  table out({">RANK", ">WORKER", ">PID", "STATE", ">OPERATIONS", "LAST", "WAITS"});
  for (const auto& r : report.ranks) {
    const bool is_lost = r.state == runtime::rank_state::entered && r.life == shm::liveness::dead;
    const std::string waits = !r.waits.empty() ? fmt::format("asleep in {}", r.waits)
                              : r.is_waiting   ? std::string("for others")
                                               : std::string("-");
    out.add({{std::to_string(r.rank)},
             {std::to_string(r.process)},
             {r.who.pid == 0 ? "-" : std::to_string(r.who.pid)},
             {is_lost ? "its process is dead" : text_of(r.state), is_lost ? style::warning : style::plain},
             {std::to_string(r.operations)},
             {r.operation.empty() ? "-" : printable(r.operation)},
             {printable(waits)}});
  }
  fmt::print("ranks\n");
  out.print(2);
}

}  // namespace weir::command
