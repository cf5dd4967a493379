// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <ostream>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>

#include "weir/detail/division.hpp"

/// Distributed arrays as text for people.
namespace weir::detail {

/// `distributed_array<double, 2>`, then of one that is not none ` 1000x1000 in 2x2 blocks on workers 2, 3, 4, 5`.
void print_division(std::ostream& out, std::string_view type, const division* how);

/// The elements, as NumPy shows them: of a large array the corners only.
void print_elements(std::ostream& out, std::span<const std::size_t> extents,
                    const std::function<std::string(std::span<const std::size_t>)>& text_at);

/// With the precision and the flags of `like`.
template <class T>
[[nodiscard]] std::string text_of_element(const std::ostream& like, const T& value) {
  std::ostringstream text;
  text.copyfmt(like);
  text.width(0);
  if constexpr (std::is_integral_v<T> && sizeof(T) == 1) {
    text << static_cast<int>(value);  // not as a character
  } else {
    text << value;
  }
  return text.str();
}

}  // namespace weir::detail
