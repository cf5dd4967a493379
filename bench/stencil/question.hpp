// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "methods/steps.hpp"

/// Question: how long does an iteration of the stencil of the Parallel Research Kernels take?
/// Method: theirs. out += the star-shaped stencil of radius 2 on in, then in += 1, so that the neighbours' edges have to be had
/// anew; doubles, --order x --order (1,000 in their scripts/small), blocks of rows, which is what their division gives for two
/// processes. apply() and add_one() are the same code in every contender, on its own kind of grid.
/// Check: theirs, for each block. The stencil is a discrete divergence, and in begins as i + j: the mean of |out| over all
/// points that have all their neighbours is 2 for each iteration, those of the warm-up included.
namespace bench::stencil {

inline constexpr question kQuestion{"stencil", ranks_of, no_queues};
inline constexpr std::ptrdiff_t kRadius = 2;

[[nodiscard]] inline double at_first(std::size_t i, std::size_t j) { return static_cast<double>(i + j); }

/// In the rows [first, last) of a block that begins with row 0; in(-1, j) and in(-2, j) are rows of the neighbour.
template <class In, class Out>
[[gnu::noinline]] void apply(const In& in, const Out& out, std::ptrdiff_t first, std::ptrdiff_t last,
                             std::ptrdiff_t columns) {
  constexpr double kNear = 1.0 / (2 * 1 * kRadius), kFar = 1.0 / (2 * 2 * kRadius);
  for (std::ptrdiff_t i = first; i < last; ++i) {
    for (std::ptrdiff_t j = kRadius; j < columns - kRadius; ++j) {
      out(i, j) += kNear * (in(i + 1, j) - in(i - 1, j)) + kFar * (in(i + 2, j) - in(i - 2, j)) +
                   kNear * (in(i, j + 1) - in(i, j - 1)) + kFar * (in(i, j + 2) - in(i, j - 2));
    }
  }
}

/// To the rows [first, last).
template <class In>
[[gnu::noinline]] void add_one(const In& in, std::ptrdiff_t first, std::ptrdiff_t last, std::ptrdiff_t columns) {
  for (std::ptrdiff_t i = first; i < last; ++i) {
    for (std::ptrdiff_t j = 0; j < columns; ++j) in(i, j) += 1.0;
  }
}

/// The rows of a block that have all their neighbours. Counted from the block's first.
struct inner_rows {
  std::ptrdiff_t first;
  std::ptrdiff_t last;

  inner_rows(const row_range& rows, std::size_t order)
      : first(std::max<std::ptrdiff_t>(0, kRadius - static_cast<std::ptrdiff_t>(rows.first))),
        last(static_cast<std::ptrdiff_t>(std::min(rows.last, order - kRadius)) -
             static_cast<std::ptrdiff_t>(rows.first)) {}
};

/// Throws wrong_item if this is not what so many iterations have added up in the block.
template <class Out>
void check(const Out& out, const inner_rows& inner, std::ptrdiff_t columns, std::uint64_t steps) {
  constexpr double kTolerance = 1e-8;
  double norm = 0;
  for (std::ptrdiff_t i = inner.first; i < inner.last; ++i) {
    for (std::ptrdiff_t j = kRadius; j < columns - kRadius; ++j) norm += std::abs(out(i, j));
  }
  norm /= static_cast<double>((inner.last - inner.first) * (columns - 2 * kRadius));
  const double right = 2 * static_cast<double>(steps);
  if (std::abs(norm - right) > kTolerance) {
    throw wrong_item("the L1 norm is " + std::to_string(norm) + " instead of " + std::to_string(right));
  }
}

}  // namespace bench::stencil
