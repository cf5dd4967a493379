// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/report.hpp"
#include "inspect/segments.hpp"
#include "runtime/team_layout.hpp"

namespace weir::inspect {

[[nodiscard]] const char* text_of(runtime::rank_state state) noexcept;

/// A rank of a team.
struct team_rank_report {
  std::uint32_t rank = 0;
  process_id process = 0;
  runtime::rank_state state{};
  shm::process_identity who;  ///< all zero: it has not entered
  shm::liveness life{};
  std::uint64_t operations = 0;            ///< that it has begun; the last of them is:
  std::string operation;                   ///< "all_reduce<double>()"; empty: none
  bool is_waiting = false;                 ///< for other ranks to come to that operation
  std::optional<std::uint32_t> waits_for;  ///< the one rank that it sleeps for
  bool waits_for_readers = false;          ///< it sleeps until others have read what it brought
  std::string waits;  ///< what it sleeps in: "all_reduce<double>()", "receive from rank 1, tag 5"; empty: awake
};

struct team_report {
  segment_report segment;
  bool readable = false;  ///< false: see segment.why; nothing below means anything
  std::string failed;     ///< how it has failed; empty: it has not
  std::vector<team_rank_report> ranks;
};

/// Name without `weir.`: `@REALM.team.N`.
[[nodiscard]] team_report describe_team(std::string_view name);
[[nodiscard]] team_report describe_team(checked_segment checked);

}  // namespace weir::inspect
