// SPDX-License-Identifier: BSL-1.0
#include <fmt/format.h>

#include "inspect/lock.hpp"
#include "segment/space.hpp"
#include "weir_output.hpp"
#include "weir_show_parts.hpp"

namespace weir::command {

void show_array(const inspect::array_report& report) {
  const auto& c = report.constants;
  show_title(report.segment, fmt::format("{} {}", fmt::join(report.extents, "x"), inspect::text_of(c.order)));
  show_segment(report.segment);
  show_line("elements",
            fmt::format("{} of {} bytes; room for {} rows", *report.segment.items, c.element_bytes, c.max_rows));
  if (c.file_bound) show_line("file", printable(report.path));
  const std::string died = report.owner_died ? "; a process has died that had it" : "";
  show_line("lock", lock_text(report.lock) + died);
  if (report.pins > 0) show_line("on its way", counted(static_cast<std::uint64_t>(report.pins), "reference"));
  for (const std::string& problem : report.problems) {
    show_line("problem", painted(printable(problem), style::warning));
  }
  if (report.seats.empty()) return;
  table out({">SEAT", ">PID", "PROGRAM", "PROCESS", "STATE", ">ATTACHED", ">SHARES LOCK"});
  for (const auto& seat : report.seats) {
    const bool alive = seat.life == shm::liveness::alive;
    const bool is_near = alive && seat.who.pid_namespace == report.segment.header->creator.pid_namespace;
    out.add({{std::to_string(seat.number)},
             {std::to_string(seat.who.pid)},
             {is_near ? printable(inspect::program_of(seat.who.pid)) : "-"},
             {std::to_string(seat.process)},
             {inspect::text_of(seat.life), alive ? style::good : style::warning},
             {readable_time(since_real(seat.attached_ns))},
             {std::to_string(seat.sharers)}});
  }
  fmt::print("processes\n");
  out.print(2);
}

}  // namespace weir::command
