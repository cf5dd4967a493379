// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/array.hpp"
#include "inspect/type_tree.hpp"
#include "inspect/value.hpp"
#include "segment/segment.hpp"

namespace weir::inspect {

/// The elements of an array, read with pread where they lie: in its segment, or in the file that it is bound to. While
/// programs write to them, what is read together need not have been so at one instant.
class array_elements {
 public:
  /// `array` must be readable; `segment` is its file, which must live as long as this.
  array_elements(const array_report& array, const segment_file& segment);

  /// Why they cannot be read; empty: they can.
  [[nodiscard]] const std::string& why() const noexcept { return why_; }

  [[nodiscard]] const std::string& type() const noexcept { return type_; }  ///< of an element, "double"
  [[nodiscard]] std::size_t element_bytes() const noexcept { return element_bytes_; }
  [[nodiscard]] weir::order order() const noexcept { return order_; }
  [[nodiscard]] const std::vector<std::uint64_t>& extents() const noexcept { return extents_; }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return count_ * element_bytes_; }

  /// So many bytes, `offset` behind the first element's. False: the file is shorter, or cannot be read.
  bool read(std::uint64_t offset, std::span<std::byte> out) const noexcept;
  /// The same into zeroes and of elements only; throws corrupt_segment, with why.
  void read_or_throw(std::string_view operation, std::uint64_t offset, std::span<std::byte> out) const;

  /// Where the element of that index lies among the elements.
  [[nodiscard]] std::uint64_t place_of(std::span<const std::size_t> index) const noexcept;

  /// Least, greatest and mean of all elements; nothing if they are no numbers, or cannot be read. Reads all of them.
  [[nodiscard]] std::optional<statistics> make_statistics() const;

  /// NumPy's name for their type, `<f8`; empty: it has none, and they are no numbers.
  [[nodiscard]] std::string numpy_type() const;

 private:
  std::string name_;
  std::string why_;
  std::string type_;
  std::size_t element_bytes_ = 0;
  weir::order order_{};
  std::vector<std::uint64_t> extents_;
  std::uint64_t count_ = 0;
  std::uint64_t offset_ = 0;  // of the first one in the file
  int fd_ = -1;
  shm::unique_fd file_;  // another one than the segment's
};

/// `A:B` for each dimension, comma-separated, as Python's slices: either side may be left out, negative numbers count
/// from the end, one number stands for itself, dimensions that are left out are whole. Returns begin and end of each
/// dimension; throws invalid_argument, in words, for what is no range of these extents, or an empty one.
struct index_range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};
[[nodiscard]] std::vector<index_range> parse_range(std::string_view text, std::span<const std::uint64_t> extents);

}  // namespace weir::inspect
