// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
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
/// Characters, not bytes; every one of them is taken to be one column wide.
[[nodiscard]] std::size_t width_of(std::string_view text) noexcept;
/// At most `columns` characters of it, the last one an ellipsis if there are more.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t columns);
/// Columns of the terminal that stdout is; nothing: it is none.
[[nodiscard]] std::optional<std::size_t> terminal_columns();

/// "1 item", "2 items".
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view what);
/// "0.4 s", "12 s", "5 min", "3 h", "9 d".
[[nodiscard]] std::string readable_time(std::int64_t nanoseconds);
/// Since a time of the real-time clock, or of the monotonic one.
[[nodiscard]] std::int64_t since_real(std::int64_t then_ns);
[[nodiscard]] std::int64_t since_monotonic(std::int64_t then_ns);
/// Name of a user, or its number.
[[nodiscard]] std::string user_name(std::uint32_t uid);

/// Columns under headings, each as wide as its widest cell, two spaces apart. Nothing is cut unless stdout is a terminal,
/// that is too narrow, and may_shrink() or may_go() allow it.
class table {
 public:
  struct cell {
    std::string text;  // printable
    style how = style::plain;
  };
  /// A heading that begins with '>' stands for a column of numbers: it is set to the right.
  explicit table(std::vector<std::string> headings);
  void add(std::vector<cell> row);
  /// If there is not enough room: what stands in the column `heading` is shortened, to `least` characters if it must be.
  /// Columns are shrunk in the order of these calls.
  void may_shrink(std::string_view heading, std::size_t least);
  /// If shrinking is not enough: the column is left out. Columns go in the order of these calls, but only as many as
  /// needed; if all of them would not do, none goes, and lines are longer than the terminal is wide.
  void may_go(std::string_view heading);
  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
  void print(std::size_t indent = 0) const;

 private:
  struct column {
    std::string heading;
    bool to_the_right = false;
    std::size_t width = 0;  // 0: left out
  };
  struct shrinking {
    std::size_t column = 0;
    std::size_t least = 0;
  };
  [[nodiscard]] std::size_t index_of(std::string_view heading) const;
  [[nodiscard]] std::vector<column> fitted(std::size_t room) const;
  void shrink(std::vector<column>& columns, std::size_t room) const;
  void print_row(const std::vector<column>& columns, const std::vector<cell>& row, std::size_t indent) const;
  std::vector<column> columns_;
  std::vector<shrinking> shrinking_;
  std::vector<std::size_t> going_;
  std::vector<std::vector<cell>> rows_;
};

}  // namespace weir::command
