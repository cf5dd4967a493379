// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <utility>
#include <vector>

#include "weir/array_options.hpp"
#include "weir/worker.hpp"

namespace weir {

namespace detail {
[[noreturn]] void throw_negative_parts(std::size_t dimension, long long parts);
}

/// Into how many parts each dimension is divided: one integer for each, `{2, 2}`. A negative one throws invalid_argument.
class grid_parts {
 public:
  /// All are to be chosen.
  grid_parts() noexcept = default;
  template <std::integral... I>
  requires(sizeof...(I) > 0) grid_parts(I... parts) {  // implicit
    (add(parts), ...);
  }
  template <std::size_t Rank>
  grid_parts(const std::array<std::size_t, Rank>& parts) : values_(parts.begin(), parts.end()) {}  // implicit
  grid_parts(std::vector<std::size_t> parts) noexcept : values_(std::move(parts)) {}               // implicit

  [[nodiscard]] const std::vector<std::size_t>& values() const noexcept { return values_; }

 private:
  template <class I>
  void add(I parts) {
    if (std::cmp_less(parts, 0)) detail::throw_negative_parts(values_.size(), static_cast<long long>(parts));
    values_.push_back(static_cast<std::size_t>(parts));
  }

  std::vector<std::size_t> values_;
};

/// How an array is divided.
struct distributed_options {
  /// Block b is the part of owner b. Empty: the workers that run, as many as the array has room for; this process if
  /// there are none. The control process can be one too.
  std::vector<worker> owners = {};
  /// 0: to be chosen. Empty: all are, from the number of owners and the extents. Owners for whom there is no block are
  /// left out.
  grid_parts grid = {};
  /// Which elements lie side by side in memory.
  weir::order order = order::row_major;
};

}  // namespace weir
