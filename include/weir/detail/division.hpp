// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/ids.hpp"

/// How an array is divided among processes: the rules of DistributedArrays.jl (defaultdist, chunk_idxs). Nothing here
/// waits or touches shared memory; any thread.
namespace weir::detail {

/// How many parts each dimension is divided into, for `parts` parts in all: the prime factors of `parts`, the largest
/// first, each to the dimension that is the longest once those before have divided it; of equally long ones to the last.
/// A factor for which that dimension is too short is left out, so the product may be less than `parts`.
[[nodiscard]] std::vector<std::size_t> choose_grid(std::span<const std::size_t> extents, std::size_t parts);

/// Where each of `parts` parts of a dimension begins, and behind them where the last one ends. What does not divide goes
/// to the first parts: 50 in 4 begin at 0, 13, 26, 38. `parts` must not be over `extent`.
[[nodiscard]] std::vector<std::size_t> cut(std::size_t extent, std::size_t parts);

/// What a division is made from.
struct division_request {
  std::vector<process_id> owners;
  bool owners_were_named = true;  ///< false: those at the end may be left out when the array is too small for all
  std::vector<std::size_t> grid;  ///< parts of each dimension, 0: to be chosen; empty: all are
};

/// One division. Block b is that of owner b; the first index of the grid runs fastest, as in Julia: in a grid of 2x3 the
/// blocks 0 and 1 lie below each other. Constant once made.
class division {
 public:
  /// Throws invalid_argument, in the words of `operation`: an extent of zero, no owner, one named twice or number 0, more
  /// named owners than elements, a grid of another rank or with more parts than a dimension or owners has.
  division(const std::string& operation, std::span<const std::size_t> extents, division_request request);
  /// What query() of such a division returned. Throws corrupt_segment.
  division(std::span<const std::size_t> extents, std::string_view query);

  [[nodiscard]] std::size_t rank() const noexcept { return grid_.size(); }
  [[nodiscard]] std::size_t blocks() const noexcept { return owners_.size(); }
  [[nodiscard]] const std::vector<std::size_t>& grid() const noexcept { return grid_; }
  [[nodiscard]] const std::vector<process_id>& owners() const noexcept { return owners_; }
  /// As cut().
  [[nodiscard]] const std::vector<std::size_t>& cuts(std::size_t dimension) const noexcept { return cuts_[dimension]; }
  /// Which part of a dimension a block lies in.
  [[nodiscard]] std::size_t part_of(std::size_t block, std::size_t dimension) const noexcept;
  [[nodiscard]] std::size_t begin_of(std::size_t block, std::size_t dimension) const noexcept {
    return cuts_[dimension][part_of(block, dimension)];
  }
  [[nodiscard]] std::size_t end_of(std::size_t block, std::size_t dimension) const noexcept {
    return cuts_[dimension][part_of(block, dimension) + 1];
  }
  /// The block that has the element; the indices must be inside.
  [[nodiscard]] std::size_t block_at(std::span<const std::size_t> indices) const noexcept;
  /// The block of that process; blocks() if it has none.
  [[nodiscard]] std::size_t block_of(process_id owner) const noexcept;

  /// `?grid=2x2&owners=2,3,4,5`: what travels of it.
  [[nodiscard]] std::string query() const;
  /// `2x2`
  [[nodiscard]] std::string grid_text() const;

  friend bool operator==(const division& a, const division& b) {
    return a.grid_ == b.grid_ && a.owners_ == b.owners_ && a.cuts_ == b.cuts_;
  }

 private:
  void make_cuts(std::span<const std::size_t> extents);

  std::vector<std::size_t> grid_;
  std::vector<process_id> owners_;
  std::vector<std::vector<std::size_t>> cuts_;
};

/// `1000x1000`
[[nodiscard]] std::string extents_text(std::span<const std::size_t> extents);

}  // namespace weir::detail
