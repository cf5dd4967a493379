// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include "inspect/lock.hpp"
#include "segment/space.hpp"
#include "weir_output.hpp"
#include "weir_show_parts.hpp"

namespace weir::command {
namespace {

using inspect::text_of;

/// "62 empty, 2 full": the phases that there are.
template <class Phase, std::size_t N>
std::string phases(const std::array<std::uint64_t, N>& in) {
  std::string text;
  for (std::size_t i = 0; i < N; ++i) {
    if (in[i] != 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", in[i], text_of(static_cast<Phase>(i)));
  }
  return text.empty() ? "all of them changing" : text;
}

style style_of_life(shm::liveness life) noexcept {
  switch (life) {
    case shm::liveness::alive: return style::good;
    case shm::liveness::dead: return style::warning;
    case shm::liveness::unknown: break;
  }
  return style::faint;
}

std::string closing_text(const inspect::channel_report& report) {
  if (report.closed == channels::closing::open) return "open";
  if (report.close_reason.empty()) return text_of(report.closed);
  return fmt::format("closed: {}", printable(report.close_reason));
}

void show_participants(const inspect::channel_report& report) {
  if (report.participants.empty()) return;
  table out({">ENTRY", ">PID", "PROGRAM", "PROCESS", "STATE", ">ATTACHED"});
  for (const auto& p : report.participants) {
    const bool alive = p.life == shm::liveness::alive;
    const std::string program = alive ? printable(inspect::program_of(p.who.pid)) : "-";
    out.add({{std::to_string(p.entry)},
             {std::to_string(p.who.pid)},
             {program},
             {std::to_string(p.process)},
             {text_of(p.life), style_of_life(p.life)},
             {readable_time(since_real(p.attached_ns))}});
  }
  fmt::print("attached\n");
  out.print(2);
}

void show_waiters(const inspect::channel_report& report) {
  if (report.waiters.empty()) return;
  table out({"FOR", ">PID", ">THREAD", "STATE", ">SINCE", ">GIVES UP IN"});
  for (const auto& w : report.waiters) {
    out.add({{text_of(w.what)},
             {std::to_string(w.pid)},
             {std::to_string(w.thread)},
             {text_of(w.life), style_of_life(w.life)},
             {readable_time(since_monotonic(w.since_ns))},
             {w.until_ns == 0 ? "never" : readable_time(-since_monotonic(w.until_ns))}});
  }
  fmt::print("waiting\n");
  out.print(2);
}

void show_bindings(const inspect::channel_report& report) {
  for (const auto& b : report.bindings) {
    show_line("ends with", fmt::format("process {}, pid {} ({}){}", b.process, b.who.pid, text_of(b.life),
                                       b.host ? ", where it lives" : ""));
  }
}

std::string owner_text(std::uint32_t participant, std::int32_t pid) {
  if (participant == 0) return "-";
  return pid != 0 ? fmt::format("pid {}", pid) : fmt::format("entry {}, not in use", participant);
}

void show_slots(const inspect::channel_report& report) {
  table slots({">SLOT", ">TICKET", "PHASE", "OWNER", ">BYTES", "BLOCK"});
  for (const auto& s : report.slots) {
    if (!s.whole) {
      slots.add({{std::to_string(s.index)}, {"-"}, {"changing"}, {"-"}, {"-"}, {"-"}});
      continue;
    }
    slots.add({{std::to_string(s.index)},
               {std::to_string(s.ticket)},
               {text_of(s.phase)},
               {owner_text(s.owner, s.pid)},
               {s.has_item ? std::to_string(s.bytes) : "-"},
               {s.block ? std::to_string(*s.block) : "-"}});
  }
  fmt::print("slots\n");
  slots.print(2);

  table views({">SLOT", ">TICKET", "VIEW", "OWNER", ">BYTES"});
  for (const auto& v : report.views) {
    views.add({{std::to_string(v.slot)},
               {std::to_string(v.ticket)},
               {text_of(v.phase)},
               {owner_text(v.owner, v.pid)},
               {std::to_string(v.bytes)}});
  }
  if (!views.empty()) {
    fmt::print("items read in slots\n");
    views.print(2);
  }

  table blocks({">BLOCK", "PHASE", "OWNER", ">BYTES", ">RESERVED"});
  for (const auto& b : report.blocks) {
    if (b.whole && b.phase == channels::block_phase::free && b.reserved == 0) continue;  // never used
    blocks.add({{std::to_string(b.index)},
                {b.whole ? text_of(b.phase) : "changing"},
                {b.whole ? owner_text(b.owner, b.pid) : "-"},
                {std::to_string(b.bytes)},
                {shm::readable(b.reserved)}});
  }
  if (blocks.empty()) return;
  fmt::print("blocks that were used\n");
  blocks.print(2);
}

}  // namespace

void show_channel(const inspect::channel_report& report, bool with_slots) {
  const auto& g = report.geometry;
  show_title(report.segment, fmt::format("{} of {} items", *report.segment.items, g.capacity));
  show_segment(report.segment);
  show_line("channel", closing_text(report));
  show_line("slots", fmt::format("{} of {} B: {}; head {}, tail {}{}", g.slot_count, g.slot_bytes,
                                 phases<channels::phase>(report.slots_in), report.head, report.tail,
                                 report.settled ? "" : " (changing)"));
  show_line("blocks", fmt::format("{} of up to {}: {}", g.block_count, shm::readable(g.block_stride),
                                  phases<channels::block_phase>(report.blocks_in)));
  if (!report.views.empty()) show_line("views", fmt::format("{} items are read in slots", report.views.size()));
  show_line("lock", lock_text(report.lock));
  show_line("asleep", fmt::format("{} to take, {} to put, {} for a block", report.takers_asleep, report.putters_asleep,
                                  report.block_waiters_asleep));
  if (report.orphans != 0) show_line("orphans", std::to_string(report.orphans));
  if (report.pins != 0) show_line("pins", std::to_string(report.pins));
  show_bindings(report);
  show_participants(report);
  show_waiters(report);
  if (with_slots) show_slots(report);
  if (report.problems.empty()) return;
  fmt::print("{}\n", painted("problems", style::bad));
  for (const std::string& problem : report.problems) fmt::print("  {}\n", printable(problem));
}

}  // namespace weir::command
