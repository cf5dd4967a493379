// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <vector>

#include "weir/array_options.hpp"
#include "weir/worker.hpp"

namespace weir {

/// How an array is divided.
struct distributed_options {
  /// Block b is the part of owner b. Empty: the workers that run, as many as the array has room for; this process if
  /// there are none. The control process can be one too.
  std::vector<worker> owners = {};
  /// Into how many parts each dimension is divided; 0: to be chosen. Empty: all are, from the number of owners and the
  /// extents. Owners for whom there is no block are left out.
  std::vector<std::size_t> grid = {};
  /// Which elements lie side by side in memory.
  weir::order order = order::row_major;
};

}  // namespace weir
