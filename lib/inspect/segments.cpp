// SPDX-License-Identifier: BSL-1.0
#include "inspect/segments.hpp"

#include <fmt/core.h>
#include <fnmatch.h>

#include <algorithm>

#include "inspect/array.hpp"
#include "inspect/channel.hpp"
#include "inspect/session.hpp"
#include "inspect/team.hpp"
#include "segment/names.hpp"

namespace weir::inspect {
namespace {

/// Of the control process of a realm's session; dead if the realm has none.
shm::liveness session_life(std::string_view realm) {
  const checked_segment table = check_segment(fmt::format("@{}.session", realm));
  if (!table.report.header || table.report.header->kind != shm::object_kind::session) return shm::liveness::dead;
  return table.report.header->creator_life;
}

shm::liveness better(shm::liveness a, shm::liveness b) noexcept {
  if (a == shm::liveness::alive || b == shm::liveness::alive) return shm::liveness::alive;
  return a == shm::liveness::unknown ? a : b;
}

std::string pids_of(std::span<const shm::process_identity> processes) {
  constexpr std::size_t kMost = 4;
  std::string text;
  for (const auto& process : processes.first(std::min(processes.size(), kMost))) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", process.pid);
  }
  return processes.size() > kMost ? text + ", …" : text;
}

segment_report look_at(checked_segment checked) {
  if (!checked.report.header) return std::move(checked.report);
  switch (checked.report.header->kind) {
    case shm::object_kind::channel: return describe_channel(std::move(checked), effort::quick).segment;
    case shm::object_kind::array: return describe_array(std::move(checked)).segment;
    case shm::object_kind::session: return describe_session(std::move(checked)).segment;
    case shm::object_kind::team: return describe_team(std::move(checked)).segment;
    default: settle_state(checked.report, {}, /*pinned=*/false); return std::move(checked.report);
  }
}

/// The realm in `weir.@REALM.session`, `@REALM.session`, `@REALM` or `REALM`.
std::string_view realm_asked_for(std::string_view session) {
  constexpr std::string_view kTable = ".session";
  if (session.starts_with(shm::kFilePrefix)) session.remove_prefix(shm::kFilePrefix.size());
  if (session.starts_with('@')) session.remove_prefix(1);
  if (session.ends_with(kTable)) session.remove_suffix(kTable.size());
  return session;
}

}  // namespace

bool matches(const std::string& pattern, const std::string& name) {
  return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0 ||
         ::fnmatch(pattern.c_str(), (std::string(shm::kFilePrefix) + name).c_str(), 0) == 0;
}

void settle_state(segment_report& report, std::span<const shm::process_identity> holders, bool pinned) {
  if (!report.header || report.state != segment_state::unknown) return;
  const header_report& h = *report.header;
  const bool tells_holders = h.kind == shm::object_kind::channel || h.kind == shm::object_kind::array;
  const bool kept = h.named && !report.name.starts_with('@');
  const bool of_session = h.id == 0 || pinned || !tells_holders;

  shm::liveness life = shm::liveness::dead;
  for (const auto& holder : holders) life = better(life, shm::look(holder));
  // Its creator has it and has not said so yet, or it is of a kind that does not say who has it.
  if (holders.empty() && !(kept && tells_holders)) life = h.creator_life;
  if (life != shm::liveness::alive && !kept && of_session) life = better(life, session_life(h.realm));

  switch (life) {
    case shm::liveness::alive: report.state = segment_state::alive; return;
    case shm::liveness::unknown:
      report.state = segment_state::unknown;
      report.why = "its processes belong to another pid namespace";
      return;
    case shm::liveness::dead: break;
  }
  if (kept && holders.empty()) {
    report.state = segment_state::idle;
    report.why = "nobody has it open";
    return;
  }
  report.state = segment_state::stale;
  report.why = holders.empty() ? fmt::format("its creator, pid {}, is dead", h.creator.pid)
                               : fmt::format("only dead processes hold it: pid {}", pids_of(holders));
}

segment_report look_at(std::string_view name) { return look_at(check_segment(name)); }

std::vector<segment_report> list(std::string_view pattern) { return list({std::string(pattern), {}, {}}); }

std::vector<segment_report> list(const selection& which) {
  std::vector<segment_report> reports;
  for (const std::string& name : shm::list_segments()) {
    if (!which.pattern.empty() && !matches(which.pattern, name)) continue;
    checked_segment checked = check_segment(name);
    const auto& header = checked.report.header;
    if (which.kind && (!header || header->kind != *which.kind)) continue;
    if (!which.session.empty() && !belongs_to(checked.report, which.session)) continue;
    segment_report report = look_at(std::move(checked));
    if (report.state != segment_state::absent) reports.push_back(std::move(report));
  }
  return reports;
}

bool belongs_to(const segment_report& report, std::string_view session) {
  const std::string pattern(realm_asked_for(session));
  if (report.header) return ::fnmatch(pattern.c_str(), report.header->realm.c_str(), 0) == 0;
  const std::string_view name = report.name;
  if (!name.starts_with('@')) return false;
  return ::fnmatch(pattern.c_str(), std::string(name.substr(1, name.find('.') - 1)).c_str(), 0) == 0;
}

std::string resolve_name(std::string_view given) {
  if (given.starts_with(shm::kFilePrefix) && segment_file(given).can() == segment_file::access::absent) {
    given.remove_prefix(shm::kFilePrefix.size());
  }
  return std::string(given);
}

}  // namespace weir::inspect
