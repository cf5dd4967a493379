// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir {

/// Which elements lie side by side in memory: those of a row (the last index runs fastest, as in C and NumPy), or those
/// of a column (the first one does, as in Fortran, BLAS and LAPACK, Julia).
enum class order : std::uint32_t { row_major = 1, column_major = 2 };

/// Largest number of dimensions of an array.
inline constexpr std::size_t kMaxRank = 8;

/// How an array is made. Fixed at creation; openers take what they find.
struct array_options {
  weir::order order = weir::order::row_major;
  /// How far resize_rows can go: address space for so many rows is kept, memory is used for those that exist. 0: twice
  /// as many as at first, or as many as a GiB holds, whichever is more, where address space is not limited. Arrays that
  /// cannot be resized (column_major of more than one dimension) ignore it.
  std::size_t max_rows = 0;
};

}  // namespace weir
