// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "runtime/census.hpp"

namespace weir::runtime {

/// Whether handles travel in the items of a segment.
[[nodiscard]] bool can_hold_handles(const found_segment& s) noexcept;

/// Of `wanted` (unnamed channels that nobody is attached to, but that references keep), those whose name can be found
/// in a segment of `kept` that handles can travel in, or in another one so found. Reads the files, holes left out. It
/// finds too much rather than too little: bytes of an item stay until the next one is written over them.
[[nodiscard]] std::vector<const found_segment*> find_referred_to(std::vector<const found_segment*> wanted,
                                                                 std::vector<const found_segment*> kept);

}  // namespace weir::runtime
