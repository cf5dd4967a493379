// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "weir/codec.hpp"
#include "weir/detail/channel_core.hpp"
#include "weir/error.hpp"

namespace weir {

template <class T>
class channel;

namespace detail {

/// Items in shared memory begin at multiples of 16 (those of slots) or 64 (blocks).
inline constexpr std::size_t kItemAlignment = 16;
inline constexpr std::size_t kBlockAlignment = 64;

template <class U>
concept character = std::same_as<U, char> || std::same_as<U, wchar_t> || std::same_as<U, char8_t> ||
    std::same_as<U, char16_t> || std::same_as<U, char32_t>;

/// A sequence that was taken from a channel, read where it lies: a contiguous range of const elements. The item counts
/// as taken when the view is destroyed; if the process dies before, another taker gets it.
/// Movable; what data() returned is valid until the view is moved or destroyed. One thread at a time.
template <class U>
class sequence_view {
 public:
  using value_type = U;
  [[nodiscard]] const U* data() const noexcept { return reinterpret_cast<const U*>(item_.bytes().data()); }
  [[nodiscard]] std::size_t size() const noexcept { return item_.bytes().size() / sizeof(U); }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] const U* begin() const noexcept { return data(); }
  [[nodiscard]] const U* end() const noexcept { return data() + size(); }
  /// `index` must be below size().
  [[nodiscard]] const U& operator[](std::size_t index) const noexcept { return data()[index]; }
  /// The characters of a string, for as long as the view stays.
  operator std::basic_string_view<U>() const noexcept requires character<U> {  // NOLINT(google-explicit-constructor)
    return {data(), size()};
  }

 private:
  template <class T>
  friend class weir::channel;
  explicit sequence_view(held_item item) noexcept : item_(std::move(item)) {}

  held_item item_;
};

/// So that a view can be put as what it is a view of.
template <class U>
inline constexpr bool kIsSpan<sequence_view<U>> = true;

/// The same of an item that is its bytes: `*view` and `view->member`.
template <class T>
class value_view {
 public:
  using value_type = T;
  [[nodiscard]] const T& operator*() const noexcept { return *reinterpret_cast<const T*>(item_.bytes().data()); }
  [[nodiscard]] const T* operator->() const noexcept { return &**this; }

 private:
  template <class U>
  friend class weir::channel;
  explicit value_view(taken_item item) noexcept : item_(std::move(item)) {}

  taken_item item_;
};

/// Room for a sequence in shared memory, to be written in place and then put: a contiguous range of elements, which
/// hold anything at first. Gone when it is destroyed without having been put. Movable. One thread at a time.
template <class U>
class sequence_loan {
 public:
  using value_type = U;
  [[nodiscard]] U* data() const noexcept { return reinterpret_cast<U*>(block_.bytes().data()); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] U* begin() const noexcept { return data(); }
  [[nodiscard]] U* end() const noexcept { return data() + size_; }
  /// `index` must be below size().
  [[nodiscard]] U& operator[](std::size_t index) const noexcept { return data()[index]; }
  /// As many elements as were asked for.
  [[nodiscard]] std::size_t capacity() const noexcept { return block_.bytes().size() / sizeof(U); }
  /// How many elements the item is to have. Throws invalid_argument if `count` is over capacity().
  void resize(std::size_t count) {
    if (count > capacity()) {
      throw invalid_argument("weir: resize a loan to " + std::to_string(count) + " elements: it has room for " +
                             std::to_string(capacity()));
    }
    size_ = count;
  }

 private:
  template <class T>
  friend class weir::channel;
  sequence_loan(loaned_block block, std::size_t size) noexcept : block_(std::move(block)), size_(size) {}

  loaned_block block_;
  std::size_t size_;
};

/// What stands in for the types above where a channel's items cannot be read or written in place.
struct not_in_place {
  explicit not_in_place(int) = delete;
};

/// Items that can be read in place.
template <class T>
struct in_place {
  using view = not_in_place;
  using loan = not_in_place;
};
template <class T>
requires(kind_of<T>() == item_kind::bytes && alignof(T) <= kItemAlignment) struct in_place<T> {
  using view = value_view<T>;
  using loan = not_in_place;
};
template <sequence T>
requires(alignof(element_of<T>) <= kItemAlignment) struct in_place<T> {
  using view = sequence_view<element_of<T>>;
  using loan = sequence_loan<element_of<T>>;
};
template <class T>
concept viewable = !std::is_same_v<typename in_place<T>::view, not_in_place>;
template <class T>
concept loanable = !std::is_same_v<typename in_place<T>::loan, not_in_place>;

}  // namespace detail
}  // namespace weir
