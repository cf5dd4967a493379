// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <tuple>
#include <type_traits>

#include "weir/detail/array_core.hpp"
#include "weir/distributed_views.hpp"

/// What an owner does with its block, for each whole-array operation: see owner_calls.hpp. A block is gone through line
/// by line, a line being elements that lie side by side, so that compilers can vectorise.
namespace weir::detail {

// ------------------------------------------------------------------------------------------------------------- lines

/// The dimension whose elements lie side by side.
template <std::size_t Rank>
[[nodiscard]] constexpr std::size_t dimension_of_lines(weir::order order) noexcept {
  return order == weir::order::row_major ? Rank - 1 : 0;
}

/// f(index of the line's first element) for each line of a part of an array, in the order in which they lie in memory.
template <std::size_t Rank, class F>
void for_each_line(const std::array<index_range, Rank>& part, weir::order order, F&& f) {
  std::array<std::size_t, Rank> index;
  for (std::size_t d = 0; d < Rank; ++d) index[d] = part[d].begin;
  const bool rows = order == weir::order::row_major;
  for (;;) {
    f(static_cast<const std::array<std::size_t, Rank>&>(index));
    std::size_t step = 1;  // to the next line: past the dimension of the lines, the fastest first
    for (; step < Rank; ++step) {
      const std::size_t d = rows ? Rank - 1 - step : step;
      if (++index[d] < part[d].end) break;
      index[d] = part[d].begin;
    }
    if (step == Rank) return;
  }
}

/// Elements of a line, `stride` apart; 1 but for another array in another order.
template <class T>
struct line {
  T* first = nullptr;
  std::size_t stride = 1;
  [[nodiscard]] T& operator[](std::size_t i) const noexcept { return first[i * stride]; }
};

template <class Array, std::size_t Rank>
[[nodiscard]] auto line_at(const Array& array, const std::array<std::size_t, Rank>& index, std::size_t dimension) {
  const auto strides = array.strides();
  std::size_t offset = 0;
  for (std::size_t d = 0; d < Rank; ++d) offset += index[d] * strides[d];
  return line<typename Array::element_type>{array.data() + offset, strides[dimension]};
}

/// f(line, index of its first element, number of elements) for each line of one owner's block.
template <class D, class F>
void for_each_line_of(const D& d, std::size_t block, F&& f) {
  const auto order = d.storage().order();
  const auto part = d.indices(block);
  const std::size_t along = dimension_of_lines<D::rank()>(order);
  const std::size_t count = part[along].size();
  for_each_line(part, order, [&](const auto& index) { f(line_at(d.storage(), index, along).first, index, count); });
}
/// The same of two arrays, the second of which may lie in another order: f(line, line, count).
template <class D, class E, class F>
void for_each_line_of(const D& d, const E& e, std::size_t block, F&& f) {
  const std::size_t along = dimension_of_lines<D::rank()>(d.storage().order());
  for_each_line_of(d, block, [&](auto* first, const auto& index, std::size_t count) {
    const auto other = line_at(e.storage(), index, along);
    if (other.stride == 1) {
      f(first, other.first, count);
    } else {
      f(first, other, count);
    }
  });
}

// --------------------------------------------------------------------------------------------------- making an array

/// Memory for a block, that lies with its owner. Lines less than a page apart are reserved in one go.
struct reserve_block {
  template <class F, class D>
  static bool run(F /*none*/, std::size_t block, const D& d) {
    constexpr std::size_t kPage = 4096;
    array_core& core = *d.core();
    const auto* const begin = reinterpret_cast<const std::byte*>(d.storage().data());
    std::size_t first = 0;
    std::size_t end = 0;
    for_each_line_of(d, block, [&](const auto* line, const auto& /*index*/, std::size_t count) {
      const auto at = static_cast<std::size_t>(reinterpret_cast<const std::byte*>(line) - begin);
      if (end != 0 && at > end + kPage) {
        reserve_array(core, first, end - first);
        first = at;
      } else if (end == 0) {
        first = at;
      }
      end = at + count * sizeof(*line);
    });
    reserve_array(core, first, end - first);
    return true;
  }
};

struct fill_block {
  template <class F, class D, class T>
  static bool run(F /*none*/, std::size_t block, const D& d, const T& value) {
    for_each_line_of(d, block,
                     [&](T* first, const auto& /*index*/, std::size_t count) { std::fill_n(first, count, value); });
    return true;
  }
};

struct generate_block {
  template <class F, class D>
  static bool run(F f, std::size_t block, const D& d) {
    using element = typename D::element_type;
    const std::size_t along = dimension_of_lines<D::rank()>(d.storage().order());
    for_each_line_of(d, block, [&](element* first, auto index, std::size_t count) {
      for (std::size_t i = 0; i < count; ++i, ++index[along]) {
        first[i] = static_cast<element>(std::apply([&](auto... each) { return std::invoke(f, each...); }, index));
      }
    });
    return true;
  }
};

/// The numbers of SplitMix64, each from its place in the sequence alone: so an element does not depend on who makes it.
[[nodiscard]] constexpr std::uint64_t splitmix(std::uint64_t seed, std::uint64_t place) noexcept {
  std::uint64_t z = seed + (place + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}
/// In [0, 1) for floating-point numbers, of all values for integers.
template <class T>
[[nodiscard]] constexpr T random_value(std::uint64_t seed, std::uint64_t place) noexcept {
  const std::uint64_t bits = splitmix(splitmix(seed, 0), place);
  if constexpr (std::floating_point<T>) {
    constexpr int kDigits = std::min(std::numeric_limits<T>::digits, 53);
    return static_cast<T>(bits >> (64 - kDigits)) / static_cast<T>(std::uint64_t{1} << kDigits);
  } else if constexpr (std::same_as<T, bool>) {
    return (bits >> 63) != 0;
  } else {
    return static_cast<T>(bits >> (64 - 8 * sizeof(T)));
  }
}

struct random_block {
  template <class F, class D>
  static bool run(F /*none*/, std::size_t block, const D& d, std::uint64_t seed) {
    using element = typename D::element_type;
    const std::size_t along = dimension_of_lines<D::rank()>(d.storage().order());
    const auto extents = d.extents();
    for_each_line_of(d, block, [&](element* first, auto index, std::size_t count) {
      for (std::size_t i = 0; i < count; ++i, ++index[along]) {
        std::uint64_t place = 0;
        for (std::size_t n = 0; n < D::rank(); ++n) place = place * extents[n] + index[n];
        first[i] = random_value<element>(seed, place);
      }
    });
    return true;
  }
};

// ------------------------------------------------------------------------------------------------------ element-wise

struct map_block {
  template <class F, class D, class E>
  static bool run(F f, std::size_t block, const D& from, const E& to) {
    using element = typename E::element_type;
    for_each_line_of(from, to, block, [&](const auto* in, auto out, std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<element>(std::invoke(f, in[i]));
    });
    return true;
  }
};

struct map_block_inplace {
  template <class F, class D>
  static bool run(F f, std::size_t block, const D& d) {
    using element = typename D::element_type;
    for_each_line_of(d, block, [&](element* first, const auto& /*index*/, std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) {
        first[i] = static_cast<element>(std::invoke(f, static_cast<const element&>(first[i])));
      }
    });
    return true;
  }
};

struct copy_block {
  template <class F, class D>
  static bool run(F /*none*/, std::size_t block, const D& from, const D& to) {
    for_each_line_of(from, to, block, [](const auto* in, auto out, std::size_t count) {
      if constexpr (std::is_pointer_v<decltype(out)>) {
        std::copy_n(in, count, out);
      } else {
        for (std::size_t i = 0; i < count; ++i) out[i] = in[i];
      }
    });
    return true;
  }
};

struct compare_block {
  template <class F, class D>
  static bool run(F /*none*/, std::size_t block, const D& a, const D& b) {
    bool equal = true;
    for_each_line_of(a, b, block, [&](const auto* one, auto other, std::size_t count) {
      for (std::size_t i = 0; equal && i < count; ++i) equal = one[i] == other[i];
    });
    return equal;
  }
};

// -------------------------------------------------------------------------------------------------------- reductions

struct fold_block {
  template <class F, class D>
  static auto run(F op, std::size_t block, const D& d) {
    using element = typename D::element_type;
    const std::size_t along = dimension_of_lines<D::rank()>(d.storage().order());
    const auto part = d.indices(block);
    std::array<std::size_t, D::rank()> begin;
    for (std::size_t n = 0; n < D::rank(); ++n) begin[n] = part[n].begin;
    element total = *line_at(d.storage(), begin, along).first;
    std::size_t skipped = 1;  // that first one
    for_each_line_of(d, block, [&](const element* first, const auto& /*index*/, std::size_t count) {
      for (std::size_t i = std::exchange(skipped, 0); i < count; ++i) {
        total = static_cast<element>(std::invoke(op, static_cast<const element&>(total), first[i]));
      }
    });
    return total;
  }
};

/// What a sum of T is counted in: integers do not overflow early.
template <class T>
struct sum_of {
  using type = T;
};
template <std::integral T>
struct sum_of<T> {
  using type = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
};

/// The sum of term(0) to term(count - 1), in eight partial sums: those go side by side, and are more exact than one.
template <class Sum, class Term>
[[nodiscard]] Sum sum_of_terms(std::size_t count, Term&& term) {
  constexpr std::size_t kLanes = 8;
  std::array<Sum, kLanes> lanes{};
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t n = 0; n < kLanes; ++n) lanes[n] += term(i + n);
  }
  for (std::size_t n = 0; i < count; ++i, ++n) lanes[n] += term(i);
  return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

struct sum_block {
  template <class F, class D>
  static auto run(F /*none*/, std::size_t block, const D& d) {
    using element = typename D::element_type;
    using sum = typename sum_of<element>::type;
    sum total{};
    for_each_line_of(d, block, [&](const element* first, const auto& /*index*/, std::size_t count) {
      total += sum_of_terms<sum>(count, [first](std::size_t i) { return static_cast<sum>(first[i]); });
    });
    return total;
  }
};

struct dot_block {
  template <class F, class D>
  static auto run(F /*none*/, std::size_t block, const D& a, const D& b) {
    using sum = typename sum_of<typename D::element_type>::type;
    sum total{};
    for_each_line_of(a, b, block, [&](const auto* one, auto other, std::size_t count) {
      total += sum_of_terms<sum>(
          count, [one, other](std::size_t i) { return static_cast<sum>(one[i]) * static_cast<sum>(other[i]); });
    });
    return total;
  }
};

/// What a norm of T is counted in.
template <class T>
using norm_of = std::conditional_t<std::floating_point<T>, T, double>;

/// The sum of the squares of all elements, each divided by `scale` before.
struct squares_block {
  template <class F, class D>
  static auto run(F /*none*/, std::size_t block, const D& d, const norm_of<typename D::element_type>& scale) {
    using element = typename D::element_type;
    using norm = norm_of<element>;
    norm total{};
    for_each_line_of(d, block, [&](const element* first, const auto& /*index*/, std::size_t count) {
      total += sum_of_terms<norm>(count, [first, scale](std::size_t i) {
        const norm x = static_cast<norm>(first[i]) / scale;
        return x * x;
      });
    });
    return total;
  }
};

/// The larger one (with `Less` the other way round: the smaller one); what is not a number wins.
struct larger {
  template <class T>
  [[nodiscard]] constexpr T operator()(const T& a, const T& b) const {
    if constexpr (std::floating_point<T>) {
      if (a != a) return a;
      return a < b || b != b ? b : a;
    } else {
      return a < b ? b : a;
    }
  }
};
struct smaller {
  template <class T>
  [[nodiscard]] constexpr T operator()(const T& a, const T& b) const {
    if constexpr (std::floating_point<T>) {
      if (a != a) return a;
      return b < a || b != b ? b : a;
    } else {
      return b < a ? b : a;
    }
  }
};
/// The largest amount.
struct larger_amount {
  template <class T>
  [[nodiscard]] constexpr T operator()(const T& a, const T& b) const {
    return larger()(amount(a), amount(b));
  }

 private:
  template <class T>
  [[nodiscard]] static constexpr T amount(const T& a) {
    return a < T{} ? static_cast<T>(-a) : a;
  }
};

}  // namespace weir::detail
