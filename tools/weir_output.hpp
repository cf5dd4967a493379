// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/report.hpp"

/// How the command writes what it found for people.
namespace weir::command {

enum class style { plain, good, warning, bad, faint };
[[nodiscard]] style style_of(inspect::segment_state state) noexcept;

/// `text` in a colour, if stdout is a terminal that shows them and NO_COLOR is not set.
[[nodiscard]] std::string painted(std::string_view text, style how);

/// What others have written (names, types, reasons), safe to print: control characters and bytes that are no UTF-8
/// become \x1b and the like.
[[nodiscard]] std::string printable(std::string_view text);
/// At most `columns` characters of it, the last one an ellipsis if there are more.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t columns);

/// Columns that it takes: characters, not bytes.
[[nodiscard]] std::size_t columns_of(std::string_view text);

/// "1 item", "2 items".
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view what);
/// "0.4 s", "12 s", "5 min", "3 h", "9 d".
[[nodiscard]] std::string readable_time(std::int64_t nanoseconds);
/// Since a time of the real-time clock, or of the monotonic one.
[[nodiscard]] std::int64_t since_real(std::int64_t then_ns);
[[nodiscard]] std::int64_t since_monotonic(std::int64_t then_ns);
/// Name of a user, or its number.
[[nodiscard]] std::string user_name(std::uint32_t uid);

/// Columns under headings, each as wide as its widest cell, two spaces apart.
class table {
 public:
  struct cell {
    std::string text;  // printable
    style how = style::plain;
  };
  /// A heading that begins with '>' stands for a column of numbers: it is set to the right.
  explicit table(std::vector<std::string> headings);
  void add(std::vector<cell> row);
  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
  void print(std::size_t indent = 0) const;

 private:
  void print_row(const std::vector<cell>& row, std::size_t indent) const;
  std::vector<cell> headings_;
  std::vector<bool> to_the_right_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<cell>> rows_;
};

}  // namespace weir::command
