// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <nlohmann/json.hpp>

#include "inspect/array.hpp"
#include "inspect/channel.hpp"
#include "inspect/report.hpp"
#include "inspect/session.hpp"

/// The reports as JSON, for `--json`. Numbers are numbers, in the units that their names say; what is not known is null.
namespace weir::command {

/// Keeps the order in which the members are written here.
using json = nlohmann::ordered_json;

[[nodiscard]] json to_json(const inspect::segment_report& report);
/// Slots and blocks one by one only if asked for.
[[nodiscard]] json to_json(const inspect::channel_report& report, bool with_slots);
[[nodiscard]] json to_json(const inspect::array_report& report);
[[nodiscard]] json to_json(const inspect::session_report& report);

/// Prints it, with bytes that are no UTF-8 replaced.
void print(const json& value);

}  // namespace weir::command
