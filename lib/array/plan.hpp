// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "array/array_layout.hpp"
#include "weir/detail/array_core.hpp"

namespace weir::arrays {

/// What is more cannot be addressed by one process.
inline constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 46U;

/// False: more than kMostBytes.
bool multiply(std::uint64_t a, std::uint64_t b, std::uint64_t& product) noexcept;

/// How a new array is divided. `what` is the operation and the object, for errors. Throws invalid_argument (extents,
/// max_rows), no_space (more than can be addressed).
checked_constants plan_array(const std::string& what, std::size_t element_bytes, const detail::array_shape& shape,
                             const array_options& options);
/// Writes the constant part of a header.
void write_constants(array_header& h, const checked_constants& c) noexcept;

}  // namespace weir::arrays
