// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "weir/codec.hpp"

namespace weir {

namespace detail {
class any_value;  // lib/codec/any.cpp; never changes once it is made
using any_state = std::shared_ptr<const any_value>;
}  // namespace detail

/// A value of any type that can travel, kept as its bytes and the name of its type; or nothing.
/// Waiting   never, but as<T>() of a handle attaches to the object, and may wait for its creator.
/// Threads   one any: as any value; copies share what is inside, which never changes, and may go to other threads.
/// Sharing   a handle inside keeps its object alive as long as the any, or a copy of it, is there.
/// Fork      stays good in a forked child, but for handles inside.
class any {
 public:
  /// Nothing.
  any() noexcept = default;
  /// A copy of `value`. Throws what encoding throws (a handle that refers to nothing: invalid_argument).
  template <class T>
  requires(!std::same_as<T, any> && transportable<T>) any(const T& value);
  /// A std::string.
  any(std::string_view text) : any(std::string(text)) {}
  any(const char* text) : any(std::string(text)) {}
  any(std::nullptr_t) = delete;

  /// The value; it stays inside. Throws type_mismatch, which names both types, if another type or nothing is inside.
  template <class T>
  [[nodiscard]] T as() const;
  /// True if as<T>() would find a T.
  template <class T>
  [[nodiscard]] bool holds() const noexcept;
  /// `std::vector<double>`; empty for nothing. Valid as long as this any or a copy is.
  [[nodiscard]] std::string_view type_name() const noexcept;
  [[nodiscard]] bool has_value() const noexcept { return state_ != nullptr; }

 private:
  friend struct detail::codec<any>;
  explicit any(detail::any_state state) noexcept : state_(std::move(state)) {}

  detail::any_state state_;
};

namespace detail {

/// Keeps the value that was encoded, and takes over its pins.
[[nodiscard]] any_state make_any(const item_type& type, encoder& encoded);
[[nodiscard]] bool any_holds(const any_state& state, const item_type& type) noexcept;
/// Throws type_mismatch.
[[nodiscard]] std::span<const std::byte> any_body(const any_state& state, const item_type& type);

/// What an any is in an item is specified in lib/codec/any_layout.hpp.
void encode_any(encoder& to, const any_state& state);
[[nodiscard]] any_state decode_any(std::span<const std::byte> body);

template <>
struct codec<any> {
  static const item_type& type() { return type_of_kind<any>(item_kind::any); }
  static void encode(encoder& to, const any& value) { encode_any(to, value.state_); }
  static any decode(std::span<const std::byte> body) { return any(decode_any(body)); }
  static void decode_into(any& value, std::span<const std::byte> body) { value = decode(body); }
};

}  // namespace detail

template <class T>
requires(!std::same_as<T, any> && transportable<T>) any::any(const T& value) {
  detail::encoder encoded;
  detail::codec<T>::encode(encoded, value);
  state_ = detail::make_any(detail::codec<T>::type(), encoded);
}

template <class T>
T any::as() const {
  static_assert(detail::check_transportable<T>());
  return detail::codec<T>::decode(detail::any_body(state_, detail::codec<T>::type()));
}

template <class T>
bool any::holds() const noexcept {
  static_assert(detail::check_transportable<T>());
  return detail::any_holds(state_, detail::codec<T>::type());
}

}  // namespace weir
