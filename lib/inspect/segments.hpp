// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/report.hpp"
#include "inspect/segment_file.hpp"

namespace weir::inspect {

/// All of weir's segments whose names (with or without `weir.`) match the shell pattern; sorted by name. An empty
/// pattern matches all. Those that go while it looks are left out.
[[nodiscard]] std::vector<segment_report> list(std::string_view pattern = {});

/// Which of them: those that meet all that is set.
struct selection {
  std::string pattern;                   ///< as above
  std::optional<shm::object_kind> kind;  ///< leaves out what has no header to be believed
  std::string session;                   ///< see belongs_to(); empty: also those of no session
};
[[nodiscard]] std::vector<segment_report> list(const selection& which);

/// Whether a segment belongs to a session, whose realm is given as it stands, as a shell pattern, or as the name of the
/// session's own segment: what one of its processes has made, whoever named it; of a segment whose header is not to be
/// believed, the name decides.
[[nodiscard]] bool belongs_to(const segment_report& report, std::string_view session);

/// Whether a name (without `weir.`) matches a shell pattern as it stands, or with `weir.` before it.
[[nodiscard]] bool matches(const std::string& pattern, const std::string& name);

/// One of them, without `weir.`; its state is `absent` if there is none.
[[nodiscard]] segment_report look_at(std::string_view name);

/// A name as a person gives it, without `weir.`: taken off if there is no segment with the name as it stands.
[[nodiscard]] std::string resolve_name(std::string_view given);

// ------------------------------------------------------------------- what the reports of each kind are made with

/// An opened segment and what its header says.
struct checked_segment {
  segment_file file;
  segment_report report;
};
/// Opens and checks the header. If that is sound, report.header is there and the state is left to settle_state().
[[nodiscard]] checked_segment check_segment(std::string_view name);

/// Decides between alive, idle, stale and unknown. `holders`: the processes attached, for a kind that knows them;
/// `pinned`: it is kept for a reference that is under way.
void settle_state(segment_report& report, std::span<const shm::process_identity> holders, bool pinned);

/// Marks it as corrupt.
void mark_corrupt(segment_report& report, std::string why);

}  // namespace weir::inspect
