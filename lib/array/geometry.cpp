// SPDX-License-Identifier: BSL-1.0
#include <limits>

#include "array/array_layout.hpp"
#include "array/plan.hpp"

namespace weir::arrays {

bool multiply(std::uint64_t a, std::uint64_t b, std::uint64_t& product) noexcept {
  return !__builtin_mul_overflow(a, b, &product) && product <= kMostBytes;
}

const char* contradiction_in(const array_header& h, std::uint64_t file_bytes, checked_constants& out) noexcept {
  if (file_bytes < kDataOffset) return "the file is shorter than an array's header";
  checked_constants c;
  c.rank = h.rank;
  c.order = h.order;
  c.element_bytes = h.element_bytes;
  c.data_offset = h.data_offset;
  c.row_bytes = h.row_bytes;
  c.max_rows = h.max_rows;
  c.file_bound = h.file_bound != 0;
  if (c.rank == 0 || c.rank > kMaxRank) return "its rank is not between 1 and 8";
  if (c.order != order::row_major && c.order != order::column_major) return "its order is neither of the two";
  if (c.element_bytes == 0 || c.element_bytes > kMostBytes) return "its elements have an impossible size";
  c.per_row = c.element_bytes;
  for (std::uint32_t d = 0; d < kMaxRank; ++d) {
    c.extents[d] = h.extents[d];
    if (d >= c.rank ? c.extents[d] != 0 : c.extents[d] == 0) return "its extents do not suit its rank";
    if (d > 0 && d < c.rank && !multiply(c.per_row, c.extents[d], c.per_row)) {
      return "its extents are more than can be addressed";
    }
  }
  const bool resizable = c.rank == 1 || c.order == order::row_major;
  if (c.row_bytes != (resizable ? c.per_row : 0)) return "its rows have another size than its extents say";
  std::uint64_t most = 0;
  if (c.max_rows < c.extents[0] || !multiply(c.max_rows, c.per_row, most)) {
    return "it has room for fewer rows than it began with, or for more than can be addressed";
  }
  if (h.path_bytes >= kMostPath) return "the path of its file is too long";
  if (c.file_bound) {
    if (file_bytes != kDataOffset || c.data_offset > kMostBytes) return "its file does not suit it";
  } else if (c.data_offset < kDataOffset || c.data_offset >= kDataOffset + shm::kPage ||
             c.data_offset % kStagger != 0) {
    return "its elements do not lie where an array's do";
  } else if (file_bytes < c.data_offset || file_bytes - c.data_offset < most) {
    return "the file is shorter than its elements";
  }
  out = c;
  return nullptr;
}

}  // namespace weir::arrays
