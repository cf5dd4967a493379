// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "methods/steps.hpp"

/// Question: how long does it take to transpose a matrix whose rows are divided among processes?
/// Method: that of the Parallel Research Kernels. b += the transpose of a, then a += 1, so that it has to be transposed
/// anew; doubles, --order x --order (2,000 in their scripts/small), tiles of 64 x 64, equal blocks of rows (theirs are
/// columns, stored by columns: the same memory). Each process keeps its block of a up to date, and makes its block of b.
/// Check: theirs, for each block. a begins as a(j, i) = order * j + i, and the errors of all of b add up to nothing.
namespace bench::transpose {

inline constexpr question kQuestion{"transpose", ranks_of, no_queues};
inline constexpr std::size_t kTile = 64;

/// Calls visit(i, j) for all of a block, tile by tile.
template <class Visit>
void for_tiles(const row_range& rows, const row_range& columns, Visit visit) {
  for (std::size_t i = rows.first; i < rows.last; i += kTile) {
    for (std::size_t j = columns.first; j < columns.last; j += kTile) {
      const std::size_t i_end = std::min(rows.last, i + kTile), j_end = std::min(columns.last, j + kTile);
      for (std::size_t it = i; it < i_end; ++it) {
        for (std::size_t jt = j; jt < j_end; ++jt) visit(it, jt);
      }
    }
  }
}

/// The rows of a process. Throws if they cannot be equal for all.
inline row_range block_of(const board& b, std::size_t rank) {
  if (b.plan().order % b.members() != 0) throw std::invalid_argument("--order has to be a multiple of --ranks");
  return rows_of(b.plan().order, b.members(), rank);
}

[[nodiscard]] inline double at_first(std::size_t row, std::size_t column, std::size_t order) {
  return static_cast<double>(order * row + column);
}

/// Throws wrong_item if this is not what so many iterations have added up; `at` takes a row and a column of b.
template <class At>
void check(At at, const row_range& rows, std::size_t order, std::uint64_t steps) {
  constexpr double kTolerance = 1e-8;
  const auto count = static_cast<double>(steps);
  const double added = count * (count - 1) / 2;
  double error = 0;
  for (std::size_t i = rows.first; i < rows.last; ++i) {
    for (std::size_t j = 0; j < order; ++j) error += std::abs(at(i, j) - (at_first(j, i, order) * count + added));
  }
  if (!(error < kTolerance)) throw wrong_item("the errors add up to " + std::to_string(error));
}

}  // namespace bench::transpose
