// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace weir::detail {

/// A word to sleep on, in shared memory, and what it held when it was looked at: worth sleeping only while it still does.
struct futex_word {
  const std::uint32_t* at = nullptr;
  std::uint32_t expected = 0;
};

}  // namespace weir::detail
