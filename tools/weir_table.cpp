// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <algorithm>

#include "weir_output.hpp"

namespace weir::command {
namespace {

constexpr std::size_t kBetween = 2;  // spaces

std::size_t line_width(const auto& columns) {
  std::size_t width = 0;
  for (const auto& each : columns) {
    if (each.width != 0) width += each.width + (width == 0 ? 0 : kBetween);
  }
  return width;
}

}  // namespace

table::table(std::vector<std::string> headings) {
  for (std::string& heading : headings) {
    const bool to_the_right = heading.starts_with('>');
    if (to_the_right) heading.erase(0, 1);
    const std::size_t width = width_of(heading);
    columns_.push_back({std::move(heading), to_the_right, width});
  }
}

void table::add(std::vector<cell> row) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    columns_[i].width = std::max(columns_[i].width, width_of(row[i].text));
  }
  rows_.push_back(std::move(row));
}

std::size_t table::index_of(std::string_view heading) const {
  const auto at = std::find_if(columns_.begin(), columns_.end(), [&](const auto& c) { return c.heading == heading; });
  return static_cast<std::size_t>(at - columns_.begin());
}

void table::may_shrink(std::string_view heading, std::size_t least) {
  shrinking_.push_back({index_of(heading), std::max(least, width_of(heading))});
}

void table::may_go(std::string_view heading) { going_.push_back(index_of(heading)); }

void table::shrink(std::vector<column>& columns, std::size_t room) const {
  for (const shrinking& each : shrinking_) {
    std::size_t& width = columns[each.column].width;
    const std::size_t all = line_width(columns);
    if (all <= room || width <= each.least) continue;
    width -= std::min(all - room, width - each.least);
  }
}

std::vector<table::column> table::fitted(std::size_t room) const {
  std::vector<column> left = columns_;
  shrink(left, room);
  const std::vector<column> shrunk = left;
  for (const std::size_t gone : going_) {
    if (line_width(left) <= room) return left;
    for (column& each : left) {
      if (each.width != 0) each.width = columns_[static_cast<std::size_t>(&each - left.data())].width;
    }
    left[gone].width = 0;
    shrink(left, room);
  }
  return line_width(left) <= room ? left : shrunk;
}

void table::print(std::size_t indent) const {
  const auto terminal = terminal_columns();
  const std::vector<column> columns = terminal ? fitted(*terminal - std::min(*terminal, indent)) : columns_;
  std::vector<cell> headings;
  headings.reserve(columns.size());
  for (const column& each : columns) headings.push_back({each.heading, style::faint});
  print_row(columns, headings, indent);
  for (const auto& row : rows_) print_row(columns, row, indent);
}

void table::print_row(const std::vector<column>& columns, const std::vector<cell>& row, std::size_t indent) const {
  std::string line(indent, ' ');
  std::size_t owed = 0;  // spaces before the next column; none after the last one
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (columns[i].width == 0) continue;
    const bool fits = width_of(row[i].text) <= columns[i].width;
    const std::string text = fits ? row[i].text : shortened(row[i].text, columns[i].width);
    const std::size_t space = columns[i].width - width_of(text);
    line.append(owed + (columns[i].to_the_right ? space : 0), ' ');
    line += painted(text, row[i].how);
    owed = kBetween + (columns[i].to_the_right ? 0 : space);
  }
  fmt::print("{}\n", line);
}

}  // namespace weir::command
