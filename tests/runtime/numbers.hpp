// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <numeric>
#include <vector>

namespace weir::tests {

/// What maps are tried on: 0, 1, 2, …
inline std::vector<int> numbers(int count) {
  std::vector<int> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

}  // namespace weir::tests
