// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace weir {

namespace detail {

[[noreturn]] void throw_bad_extent(std::size_t dimension, long long value);

template <std::integral I>
[[nodiscard]] constexpr std::size_t checked_extent(std::size_t dimension, I value) {
  if (std::cmp_less(value, 0)) throw_bad_extent(dimension, static_cast<long long>(value));
  return static_cast<std::size_t>(value);
}

}  // namespace detail

/// How many elements an array has in each of `Rank` dimensions. Made from as many integers, `{rows, columns}`, or one
/// alone if Rank is 1; a negative one throws invalid_argument. (That zero is none is the arrays' business.)
template <std::size_t Rank>
class extents_of {
 public:
  template <std::integral... I>
  requires(sizeof...(I) == Rank) constexpr extents_of(I... extents) {  // implicit
    std::size_t dimension = 0;
    ((values_[dimension] = detail::checked_extent(dimension, extents), ++dimension), ...);
  }
  constexpr extents_of(const std::array<std::size_t, Rank>& values) noexcept : values_(values) {}  // implicit

  [[nodiscard]] constexpr const std::array<std::size_t, Rank>& values() const noexcept { return values_; }
  constexpr operator std::array<std::size_t, Rank>() const noexcept { return values_; }  // implicit
  [[nodiscard]] constexpr std::size_t operator[](std::size_t dimension) const noexcept { return values_[dimension]; }
  friend constexpr bool operator==(const extents_of&, const extents_of&) = default;

 private:
  std::array<std::size_t, Rank> values_{};
};

}  // namespace weir
