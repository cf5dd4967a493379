// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

namespace weir::runtime {

/// Name of the function at that address, as its source spells it; what a call of a lambda runs is named by the lambda. Read
/// from the symbols of the file that it was loaded from, which takes a millisecond; `function at 0x…` (its offset in the
/// file) where that has none. Any thread. Throws std::bad_alloc.
[[nodiscard]] std::string function_name(const void* code);

}  // namespace weir::runtime
