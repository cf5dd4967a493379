// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

#include "inspect/array.hpp"
#include "inspect/channel.hpp"
#include "inspect/report.hpp"
#include "inspect/session.hpp"

/// What `weir show` prints, for people. The kinds have a file each.
namespace weir::command {

/// First line: name, kind and type, `more`, state.
void show_title(const inspect::segment_report& s, std::string_view more);
/// A line with its label in the first column.
void show_line(std::string_view label, std::string_view text);
/// Who holds a lock, alive or not.
[[nodiscard]] std::string lock_text(const inspect::lock_report& lock);
/// The lines that every kind has: creation and memory.
void show_segment(const inspect::segment_report& s);

void show_array(const inspect::array_report& report);
void show_channel(const inspect::channel_report& report, bool with_slots);
void show_session(const inspect::session_report& report);

}  // namespace weir::command
