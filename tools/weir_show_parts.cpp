// SPDX-License-Identifier: BSL-1.0
#include "weir_show_parts.hpp"

#include <fmt/core.h>

#include "inspect/lock.hpp"
#include "segment/space.hpp"
#include "weir_output.hpp"

namespace weir::command {

using inspect::text_of;

void show_title(const inspect::segment_report& s, std::string_view more) {
  const std::string type = s.header->type.empty() ? "" : fmt::format(" of {}", printable(s.header->type));
  const std::string why = s.why.empty() ? "" : fmt::format(": {}", printable(s.why));
  fmt::print("{}  {}{}{}{}  {}\n", printable(s.name), text_of(s.header->kind), type, more.empty() ? "" : "  ", more,
             painted(fmt::format("{}{}", text_of(s.state), why), style_of(s.state)));
}

void show_line(std::string_view label, std::string_view text) { fmt::print("  {:<9}  {}\n", label, text); }

void show_segment(const inspect::segment_report& s) {
  const inspect::header_report& h = *s.header;
  const std::string program = printable(inspect::program_of(h.creator.pid));
  const bool alive = h.creator_life == shm::liveness::alive && !program.empty();
  show_line("made",
            fmt::format("{} ago by pid {} ({}{}{}) of user {}", readable_time(since_real(h.created_ns)), h.creator.pid,
                        alive ? program : "", alive ? ", " : "", text_of(h.creator_life), user_name(s.owner)));
  show_line("identity", fmt::format("where {}, whence {}, id {}; realm {}; {}", h.where, h.whence, h.id,
                                    printable(h.realm), h.named ? "named" : "unnamed"));
  const std::string used = s.used_bytes ? fmt::format(", {} used", shm::readable(*s.used_bytes)) : "";
  show_line("memory", fmt::format("{} reserved{}; a sparse file of {}", shm::readable(s.reserved_bytes), used,
                                  shm::readable(s.file_bytes)));
}

std::string lock_text(const inspect::lock_report& lock) {
  if (lock.unusable) return "not usable: no mutex that weir made, or given up for good";
  if (!lock.held && !lock.owner_died) return "free";
  if (lock.life != shm::liveness::dead) {
    return fmt::format("held by thread {} of pid {} ({}){}", lock.thread, lock.pid, text_of(lock.life),
                       lock.contended ? ", others wait" : "");
  }
  const std::string who = lock.pid != 0 ? fmt::format("pid {}", lock.pid) : fmt::format("thread {}", lock.thread);
  return fmt::format("held by {}, which is dead (whoever locks it next repairs)", who);
}

}  // namespace weir::command
