// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/code_names.hpp"
#include "inspect/waits.hpp"
#include "weir_json.hpp"

/// What ps, top and why say of processes and their waits.
namespace weir::command {

/// "control process", "worker 3".
[[nodiscard]] std::string process_title(process_id id);
/// What a thread of a process runs: "area(double)", "what follows a future".
[[nodiscard]] std::string run_text(const inspect::run_report& run, std::int32_t pid, inspect::code_names& names);

/// What one process does, a line each: "waits 2 s to put into "b"; in area(double), 3 s". One at least.
[[nodiscard]] std::vector<std::string> doings_of(const inspect::live_look& look, const inspect::live_session& session,
                                                 std::size_t index, inspect::code_names& names);

/// `text` cut to what is left of the terminal's line from column `used` on; whole if stdout is none.
[[nodiscard]] std::string fitted(const std::string& text, std::size_t used);
/// `text` after `indent` spaces, on as many lines as the terminal needs, those that follow indented further; ends with a line's end.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t indent);
[[nodiscard]] json to_json(const inspect::wait_report& wait);
[[nodiscard]] json to_json(const inspect::run_report& run, std::int32_t pid, inspect::code_names& names);
/// Seconds since a time of the monotonic clock; until one: negative before it.
[[nodiscard]] json seconds_since(std::int64_t monotonic_ns);

}  // namespace weir::command
