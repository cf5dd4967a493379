// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "inspect/code_names.hpp"
#include "inspect/watch.hpp"
#include "weir_json.hpp"

/// What `weir top` shows of one look.
namespace weir::command {

/// In the order that the key `s` goes through them.
enum class top_order { busy, full, waiting, memory, name };
[[nodiscard]] const char* text_of(top_order order) noexcept;

struct top_view {
  top_order order = top_order::busy;
  bool with_internal = false;  ///< the runtime's own channels too
  std::size_t columns = 0;     ///< of a line; 0: as many as it takes
};

/// Lines, without their ends; the first is the title. Painted, if stdout shows colours.
[[nodiscard]] std::vector<std::string> top_lines(const inspect::watch_frame& frame, const top_view& view,
                                                 inspect::code_names& names);

[[nodiscard]] json to_json(const inspect::watch_frame& frame, const top_view& view, inspect::code_names& names);

/// "0", "12.3", "4.5k", "1.2M".
[[nodiscard]] std::string readable_rate(double per_second);
/// A bar of `columns` characters of which `part` of `whole` are full.
[[nodiscard]] std::string bar(std::uint64_t part, std::uint64_t whole, std::size_t columns);

}  // namespace weir::command
