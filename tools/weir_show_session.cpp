// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include "weir_output.hpp"
#include "weir_show_parts.hpp"

namespace weir::command {

using inspect::text_of;

void show_session(const inspect::session_report& report) {
  show_title(report.segment, report.ending ? "ending" : "");
  show_segment(report.segment);
  table out({">ID", ">PID", "STATE", ">AGE", ">SERVED", ">RUNNING", ">WAITING", "ENDED"});
  for (const auto& p : report.processes) {
    const bool lost = p.state == runtime::worker_state::running && p.life == shm::liveness::dead;
    const std::string pid = p.who.pid == 0 ? "-" : std::to_string(p.who.pid);
    const std::string ended = p.state == runtime::worker_state::gone ? p.ended.text()
                              : lost                                 ? "its process is dead"
                                                                     : "-";
    const style how = lost ? style::warning : p.state == runtime::worker_state::running ? style::good : style::faint;
    out.add({{std::to_string(p.id)},
             {pid},
             {p.id == kControlProcess ? fmt::format("{} (control)", text_of(p.state)) : text_of(p.state), how},
             {readable_time(since_real(p.started_ns))},
             {std::to_string(p.calls_served)},
             {std::to_string(p.running_calls)},
             {std::to_string(p.waiting_calls)},
             {ended}});
  }
  fmt::print("processes\n");
  out.print(2);
}

}  // namespace weir::command
