// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <stdexcept>
#include <utility>

/// Views of a part of an array's elements, which are read and written in place. Like a std::span they own nothing: the
/// array's handle is to live longer. Nothing here waits; any thread. Undefined for indices out of range, but in at().
namespace weir {

namespace detail {

template <class Integer, std::size_t Rank, std::size_t... D, class... I>
[[nodiscard]] constexpr Integer offset_of(const std::array<Integer, Rank>& strides,
                                          std::index_sequence<D...> /*dimensions*/, I... indices) noexcept {
  return ((static_cast<Integer>(indices) * strides[D]) + ...);
}

}  // namespace detail

/// Indices from `begin` to before `end`.
struct index_range {
  std::size_t begin = 0;
  std::size_t end = 0;
  [[nodiscard]] constexpr std::size_t size() const noexcept { return end - begin; }
  friend constexpr bool operator==(const index_range&, const index_range&) = default;
};

/// A block of an array: its own indices begin at 0 in each dimension.
template <class T, std::size_t Rank>
class block_view {
 public:
  using element_type = T;
  using extents_type = std::array<std::size_t, Rank>;
  class iterator;

  /// Has no elements.
  constexpr block_view() noexcept = default;
  constexpr block_view(T* data, const extents_type& extents, const extents_type& strides) noexcept
      : data_(data), extents_(extents), strides_(strides) {}

  /// The first element. Those of the last index (row_major) or the first (column_major) lie side by side behind it.
  [[nodiscard]] constexpr T* data() const noexcept { return data_; }
  [[nodiscard]] constexpr const extents_type& extents() const noexcept { return extents_; }
  /// Throws std::out_of_range.
  [[nodiscard]] constexpr std::size_t extent(std::size_t dimension) const { return extents_.at(dimension); }
  /// Distance of neighbours in each dimension, in elements.
  [[nodiscard]] constexpr const extents_type& strides() const noexcept { return strides_; }
  [[nodiscard]] constexpr std::size_t size() const noexcept {
    std::size_t product = 1;
    for (const std::size_t each : extents_) product *= each;
    return product;
  }
  [[nodiscard]] constexpr bool empty() const noexcept { return size() == 0; }

  template <std::integral... I>
  requires(sizeof...(I) == Rank) [[nodiscard]] constexpr T& operator()(I... indices) const noexcept {
    return data_[detail::offset_of(strides_, std::make_index_sequence<Rank>(), indices...)];
  }
  /// Throws std::out_of_range.
  template <std::integral... I>
  requires(sizeof...(I) == Rank) [[nodiscard]] constexpr T& at(I... indices) const {
    std::size_t dimension = 0;
    if (!((std::cmp_greater_equal(indices, 0) && std::cmp_less(indices, extents_[dimension++])) && ...)) {
      throw std::out_of_range("weir: block_view::at: an index is outside of the block");
    }
    return (*this)(indices...);
  }

  /// All elements, the last index fastest.
  [[nodiscard]] constexpr iterator begin() const noexcept { return iterator(*this, false); }
  [[nodiscard]] constexpr iterator end() const noexcept { return iterator(*this, true); }

 private:
  T* data_ = nullptr;
  extents_type extents_{};
  extents_type strides_{};
};

template <class T, std::size_t Rank>
class block_view<T, Rank>::iterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = T;
  using difference_type = std::ptrdiff_t;
  using pointer = T*;
  using reference = T&;

  constexpr iterator() noexcept = default;
  constexpr iterator(const block_view& view, bool at_end) noexcept : view_(view), at_(view.data_) {
    if (at_end || view.empty()) index_[0] = view.extents_[0];
  }
  constexpr T& operator*() const noexcept { return *at_; }
  constexpr T* operator->() const noexcept { return at_; }
  constexpr iterator& operator++() noexcept {
    for (std::size_t d = Rank; d-- > 0;) {
      at_ += view_.strides_[d];
      if (++index_[d] < view_.extents_[d] || d == 0) break;
      at_ -= view_.strides_[d] * view_.extents_[d];
      index_[d] = 0;
    }
    return *this;
  }
  constexpr iterator operator++(int) noexcept {
    iterator before = *this;
    ++*this;
    return before;
  }
  /// Of iterators of one view.
  friend constexpr bool operator==(const iterator& a, const iterator& b) noexcept { return a.index_ == b.index_; }

 private:
  block_view view_;
  T* at_ = nullptr;
  extents_type index_{};
};

/// A block with what lies around it, as far as the array goes. Indices are those of the block: in front of it they are
/// negative, h(-1, j) is the last row of the neighbour above.
template <class T, std::size_t Rank>
class halo_view {
 public:
  using element_type = T;
  using bounds_type = std::array<std::ptrdiff_t, Rank>;

  /// Has no elements.
  constexpr halo_view() noexcept = default;
  constexpr halo_view(const block_view<T, Rank>& block, const bounds_type& begins, const bounds_type& ends) noexcept
      : block_(block), begins_(begins), ends_(ends) {
    for (std::size_t d = 0; d < Rank; ++d) strides_[d] = static_cast<std::ptrdiff_t>(block.strides()[d]);
  }

  /// The block itself.
  [[nodiscard]] constexpr const block_view<T, Rank>& block() const noexcept { return block_; }
  /// The first index that there is: 0 at the array's border, otherwise -width or as far as the array goes.
  [[nodiscard]] constexpr std::ptrdiff_t begin_of(std::size_t dimension) const { return begins_.at(dimension); }
  /// One past the last index.
  [[nodiscard]] constexpr std::ptrdiff_t end_of(std::size_t dimension) const { return ends_.at(dimension); }
  /// The block's first element, not the halo's.
  [[nodiscard]] constexpr T* data() const noexcept { return block_.data(); }
  /// Distance of neighbours in each dimension, in elements.
  [[nodiscard]] constexpr const bounds_type& strides() const noexcept { return strides_; }

  template <std::integral... I>
  requires(sizeof...(I) == Rank) [[nodiscard]] constexpr T& operator()(I... indices) const noexcept {
    return block_.data()[detail::offset_of(strides_, std::make_index_sequence<Rank>(), indices...)];
  }
  /// Throws std::out_of_range.
  template <std::integral... I>
  requires(sizeof...(I) == Rank) [[nodiscard]] constexpr T& at(I... indices) const {
    std::size_t dimension = 0;
    const auto is_inside = [&](auto index) {
      const std::size_t d = dimension++;
      return std::cmp_greater_equal(index, begins_[d]) && std::cmp_less(index, ends_[d]);
    };
    if (!(is_inside(indices) && ...)) {
      throw std::out_of_range("weir: halo_view::at: an index is outside of the halo");
    }
    return (*this)(indices...);
  }

 private:
  block_view<T, Rank> block_;
  bounds_type begins_{};
  bounds_type ends_{};
  bounds_type strides_{};
};

}  // namespace weir
