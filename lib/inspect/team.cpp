// SPDX-License-Identifier: BSL-1.0
#include "inspect/team.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>

#include "inspect/copy_of.hpp"
#include "runtime/team_core.hpp"

namespace weir::inspect {
namespace {

namespace rt = weir::runtime;

template <std::size_t N>
std::string text_in(const char (&field)[N]) {
  return {field, static_cast<std::size_t>(std::find(field, field + N, '\0') - field)};
}

std::string waits_text(const rt::team_rank& rank, const std::string& operation) {
  const std::uint32_t other = rank.waits_for.load(kRelaxed);
  const std::int64_t tag = rank.waits_tag.load(kRelaxed);
  switch (rank.waits.load(kRelaxed)) {
    case rt::rank_waits::operation: return operation;
    case rt::rank_waits::receive: return fmt::format("receive from rank {}, tag {}", other, tag);
    case rt::rank_waits::send: return fmt::format("send to rank {}, tag {}", other, tag);
    case rt::rank_waits::others_to_read: return "others to read what it brought";
    case rt::rank_waits::nothing: break;
  }
  return {};
}

team_rank_report describe(std::uint32_t number, const rt::team_rank& rank) {
  team_rank_report out;
  out.rank = number;
  out.process = rank.process;
  out.state = rank.state.load(kRelaxed);
  out.who = rank.who;
  out.life = shm::look(rank.who);
  const std::uint64_t first = rank.slots[0].sequence.load(kRelaxed);
  const std::uint64_t second = rank.slots[1].sequence.load(kRelaxed);
  out.operations = std::max(first, second);
  if (out.operations != 0) {
    const std::size_t latest = second > first ? 1 : 0;
    const rt::team_slot& slot = rank.slots[latest];
    out.operation = rt::call_text(slot.operation, slot.type_hash == 0 ? "" : text_in(rank.names[latest]), slot.root);
  }
  out.waits = waits_text(rank, out.operation);
  const rt::rank_waits waits = rank.waits.load(kRelaxed);
  if (waits == rt::rank_waits::receive || waits == rt::rank_waits::send) out.waits_for = rank.waits_for.load(kRelaxed);
  out.waits_for_readers = waits == rt::rank_waits::others_to_read;
  return out;
}

std::string failure_text(std::uint32_t failed, const std::vector<std::string>& reasons) {
  if (failed == 0) return {};
  const std::uint32_t rank = rt::rank_in(failed);
  std::string reason = rank < reasons.size() ? reasons[rank] : std::string();
  switch (rt::failure_in(failed)) {
    case rt::team_failure::threw: return fmt::format("rank {} threw {}", rank, reason);
    case rt::team_failure::differs: return reason;
    case rt::team_failure::died: return fmt::format("rank {} has died", rank);
    case rt::team_failure::none: break;
  }
  return fmt::format("in a way {:#x} that there is not", failed);
}

/// What keeps the team from being believed; empty: nothing.
std::string read_team(const segment_file& file, team_report& out) {
  copy_of<rt::team_header> header;
  if (!file.read(rt::kTeamHeaderOffset, header.bytes)) return "the team's header cannot be read";
  const std::uint32_t size = header.get().size;
  if (!rt::is_team_geometry(size, header.get().stretch_bytes, file.file_bytes())) {
    return fmt::format("{} ranks with {} bytes each do not fit its {} bytes", size, header.get().stretch_bytes,
                       file.file_bytes());
  }
  std::vector<std::string> reasons;
  std::uint32_t number = 0;
  for (const auto& copy : file.read_rows<copy_of<rt::team_rank>>(rt::kTeamRanksOffset, size, sizeof(rt::team_rank))) {
    if (copy.get().state.load(kRelaxed) > rt::rank_state::failed) {
      return fmt::format("rank {} is in a state {} that there is not", number,
                         static_cast<unsigned>(copy.get().state.load(kRelaxed)));
    }
    out.ranks.push_back(describe(number++, copy.get()));
    reasons.push_back(text_in(copy.get().reason));
  }
  if (out.ranks.size() != size) return "its ranks cannot be read";
  std::uint64_t done = out.ranks.front().operations;
  for (const auto& rank : out.ranks) done = std::min(done, rank.operations);
  for (auto& rank : out.ranks) {
    rank.is_waiting = rank.state == rt::rank_state::entered && rank.operations > done;
  }
  out.failed = failure_text(header.get().failed.load(kRelaxed), reasons);
  return {};
}

}  // namespace

team_report describe_team(checked_segment checked) {
  team_report out;
  out.segment = std::move(checked.report);
  if (!out.segment.header) return out;
  if (out.segment.header->kind == shm::object_kind::team) {
    std::string why = read_team(checked.file, out);
    out.readable = why.empty();
    if (!out.readable) {
      mark_corrupt(out.segment, std::move(why));
      return out;
    }
    out.segment.capacity = out.ranks.size();
    out.segment.items = static_cast<std::uint64_t>(std::count_if(
        out.ranks.begin(), out.ranks.end(), [](const auto& r) { return r.state == rt::rank_state::entered; }));
  }
  settle_state(out.segment, {}, /*pinned=*/false);
  return out;
}

team_report describe_team(std::string_view name) { return describe_team(check_segment(name)); }

}  // namespace weir::inspect
