// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

#include "weir/detail/array_core.hpp"

namespace weir::arrays {

/// What a .npy file begins with, up to the elements, which then lie on a multiple of 64 bytes. `descr`: NumPy's name of
/// their type, `<f8`.
[[nodiscard]] std::string make_npy_header(const detail::array_shape& shape, std::string_view descr);

}  // namespace weir::arrays
