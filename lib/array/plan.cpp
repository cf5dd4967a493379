// SPDX-License-Identifier: BSL-1.0
#include "array/plan.hpp"

#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <iterator>

#include "segment/segment.hpp"
#include "segment/space.hpp"
#include "weir/error.hpp"

namespace weir::arrays {
namespace {

/// Bytes of address space for the elements of one array, beyond those that it has at first.
std::uint64_t address_space_for_growth() noexcept {
  rlimit limit{};
  constexpr std::uint64_t kShareOfLimit = 16;
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) return limit.rlim_cur / kShareOfLimit;
  return kMostBytes;
}

/// Where in its first page this process's next array begins; see kStagger.
std::uint64_t next_stagger(const checked_constants& c) noexcept {
  static std::atomic<std::uint64_t> arrays_before{0};
  // The size of an element is a multiple of what it has to lie on.
  if (c.element_bytes > kStagger || bytes_of(c, c.extents[0]) < kStaggeredFrom) return 0;
  return arrays_before.fetch_add(1, std::memory_order_relaxed) * kStagger % shm::kPage;
}

}  // namespace

checked_constants plan_array(const std::string& what, std::size_t element_bytes, const detail::array_shape& shape,
                             const array_options& options) {
  if (shape.order != order::row_major && shape.order != order::column_major) {
    throw invalid_argument(fmt::format("weir: {}: order {} is neither row_major nor column_major", what,
                                       static_cast<std::uint32_t>(shape.order)));
  }
  checked_constants c;
  c.rank = shape.rank;
  c.order = shape.order;
  c.element_bytes = element_bytes;
  std::uint64_t elements = 1;
  for (std::uint32_t d = 0; d < shape.rank; ++d) {
    c.extents[d] = shape.extents[d];
    if (c.extents[d] == 0) {
      throw invalid_argument(
          fmt::format("weir: {}: extents {}: that of dimension {} is 0, must be 1 or more", what, text_of(shape), d));
    }
    if (__builtin_mul_overflow(elements, c.extents[d], &elements)) elements = 0;
    std::uint64_t bytes = 0;
    if (elements == 0 || __builtin_mul_overflow(elements, element_bytes, &bytes) || bytes > INT64_MAX) {
      throw invalid_argument(fmt::format("weir: {}: extents {}: that is more elements of {} bytes than can be counted",
                                         what, text_of(shape), element_bytes));
    }
    if (d + 1 == shape.rank && bytes > kMostBytes) {
      throw no_space(fmt::format("weir: {}: extents {}: {} asked, {} can be addressed", what, text_of(shape),
                                 shm::readable(bytes), shm::readable(kMostBytes)));
    }
  }
  c.per_row = elements / c.extents[0] * element_bytes;
  const bool resizable = c.rank == 1 || c.order == order::row_major;
  c.row_bytes = resizable ? c.per_row : 0;
  c.data_offset = kDataOffset + next_stagger(c);
  c.max_rows = c.extents[0];
  if (!resizable) return c;
  if (options.max_rows == 0) {
    constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;
    const std::uint64_t twice = 2 * bytes_of(c, c.extents[0]);
    const std::uint64_t room = std::min({std::max(twice, kGiB), address_space_for_growth(), kMostBytes});
    c.max_rows = std::max(c.max_rows, room / c.row_bytes);
    return c;
  }
  if (options.max_rows < c.extents[0]) {
    throw invalid_argument(
        fmt::format("weir: {}: max_rows {} is below the first extent, {}", what, options.max_rows, c.extents[0]));
  }
  std::uint64_t most = 0;
  if (!multiply(options.max_rows, c.row_bytes, most)) {
    throw invalid_argument(fmt::format("weir: {}: max_rows {} of {} bytes are more than can be addressed ({})", what,
                                       options.max_rows, c.row_bytes, shm::readable(kMostBytes)));
  }
  c.max_rows = options.max_rows;
  return c;
}

void write_constants(array_header& h, const checked_constants& c) noexcept {
  h.rank = c.rank;
  h.order = c.order;
  h.element_bytes = c.element_bytes;
  h.data_offset = c.data_offset;
  h.row_bytes = c.row_bytes;
  h.max_rows = c.max_rows;
  std::copy(std::begin(c.extents), std::end(c.extents), std::begin(h.extents));
  h.rows.store(c.extents[0], std::memory_order_relaxed);
  h.file_bound = c.file_bound ? 1 : 0;
}

}  // namespace weir::arrays
