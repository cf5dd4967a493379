// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <string>
#include <vector>

#include "methods/steps.hpp"

/// Question: how long does a step of the heat equation take, if each of some processes has a block of the grid's rows?
/// Method: Jacobi: a step replaces each inner point of an --order x --order grid by the mean of its four neighbours; it needs
/// the rows at the edges of the neighbours' blocks, and ends when everybody knows the largest change anywhere, as a program
/// that runs until the change is small enough has to. sweep() is the same code in every contender, on its own kind of grid.
/// Check: the grid begins as a product of sines, zero at the border, of which each step leaves the same part: every point
/// and the last change are compared with that in the end. An edge that comes a step late is an error thousands of
/// times as large as is allowed.
namespace bench::heat {

inline constexpr question kQuestion{"heat", ranks_of, no_queues};

[[nodiscard]] inline double at_first(std::size_t i, std::size_t j, std::size_t order) {
  const auto border = static_cast<double>(order - 1);
  return std::sin(std::numbers::pi * static_cast<double>(i) / border) *
         std::sin(std::numbers::pi * static_cast<double>(j) / border);
}

/// `to` becomes what `from` is one step later, in the rows [first, last) of a block that begins with row 0; from(-1, j) is
/// a row of the neighbour. `changes` has the largest change of each column so far: what the columns have in common is
/// left for later, since the order in which maxima are taken is not the compiler's to choose.
template <class From, class To>
[[gnu::noinline]] void sweep(const From& from, const To& to, std::ptrdiff_t first, std::ptrdiff_t last,
                             std::vector<double>& changes) {
  double* const largest = changes.data();
  const auto columns = static_cast<std::ptrdiff_t>(changes.size());
  for (std::ptrdiff_t i = first; i < last; ++i) {
    for (std::ptrdiff_t j = 1; j < columns - 1; ++j) {
      const double next = 0.25 * ((from(i - 1, j) + from(i + 1, j)) + (from(i, j - 1) + from(i, j + 1)));
      const double change = std::abs(next - from(i, j));
      to(i, j) = next;
      largest[j] = largest[j] < change ? change : largest[j];
    }
  }
}

/// The largest of all columns, which are zero again afterwards.
inline double take_largest(std::vector<double>& changes) {
  const double largest = *std::max_element(changes.begin(), changes.end());
  std::fill(changes.begin(), changes.end(), 0.0);
  return largest;
}

/// The rows of a block that change: not those at the grid's border. Counted from the block's first.
struct inner_rows {
  std::ptrdiff_t first;
  std::ptrdiff_t last;

  inner_rows(const row_range& rows, std::size_t order)
      : first(rows.first == 0 ? 1 : 0),
        last(static_cast<std::ptrdiff_t>(rows.count()) - (rows.last == order ? 1 : 0)) {}
};

/// Throws wrong_item if this is not how the block's rows are after so many steps, or `change` is not the last step's.
template <class Block>
void check(const Block& block, const row_range& rows, std::size_t order, std::uint64_t steps, double change) {
  constexpr double kTolerance = 1e-10;
  const double factor = std::cos(std::numbers::pi / static_cast<double>(order - 1));
  const double left = std::pow(factor, static_cast<double>(steps));
  for (std::size_t i = rows.first; i < rows.last; ++i) {
    for (std::size_t j = 1; j + 1 < order; ++j) {
      const double found = block(static_cast<std::ptrdiff_t>(i - rows.first), static_cast<std::ptrdiff_t>(j));
      if (std::abs(found - left * at_first(i, j, order)) > kTolerance * left) {
        throw wrong_item("point " + std::to_string(i) + ", " + std::to_string(j) + " is wrong");
      }
    }
  }
  const std::size_t middle = (order - 1) / 2;  // where the sines are largest
  const double right = left / factor * (1 - factor) * at_first(middle, middle, order);
  if (std::abs(change - right) > kTolerance * left) throw wrong_item("the largest change is wrong");
}

}  // namespace bench::heat
