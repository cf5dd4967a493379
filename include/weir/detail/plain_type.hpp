// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <coroutine>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <ranges>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

/// Which types are their bytes, in whatever process these are read: trivially copyable, and no address inside.
/// All of it happens in the compiler.
namespace weir::detail {

template <class T>
[[nodiscard]] consteval bool holds_address();

/// Initialises what holds an address, and nothing else.
struct address_probe {
  template <class U>
  requires(holds_address<U>()) operator U() const;
};

// WEIR_TAKES(a, b, c,) is true if T{a, b, c, address_probe{}} compiles: if the fourth member of the aggregate T (a base
// is a member, an array is one too) holds an address. The members before it are initialised by {}.
#define WEIR_TAKES(...) \
  requires { T{__VA_ARGS__ address_probe{}}; }
#define WEIR_8 {}, {}, {}, {}, {}, {}, {}, {},
#define WEIR_ONE_OF_8_TAKES(...)                                                                     \
  (WEIR_TAKES(__VA_ARGS__) || WEIR_TAKES(__VA_ARGS__{}, ) || WEIR_TAKES(__VA_ARGS__{}, {}, ) ||      \
   WEIR_TAKES(__VA_ARGS__{}, {}, {}, ) || WEIR_TAKES(__VA_ARGS__{}, {}, {}, {}, ) ||                 \
   WEIR_TAKES(__VA_ARGS__{}, {}, {}, {}, {}, ) || WEIR_TAKES(__VA_ARGS__{}, {}, {}, {}, {}, {}, ) || \
   WEIR_TAKES(__VA_ARGS__{}, {}, {}, {}, {}, {}, {}, ))

/// True if one of the first 32 members of the aggregate T holds an address, at any depth of aggregates and arrays.
template <class T>
[[nodiscard]] consteval bool member_holds_address() {
  if constexpr (WEIR_ONE_OF_8_TAKES()) {
    return true;
  } else if constexpr (!requires { T{WEIR_8}; }) {
    return false;
  } else if constexpr (WEIR_ONE_OF_8_TAKES(WEIR_8)) {
    return true;
  } else if constexpr (!requires { T{WEIR_8 WEIR_8}; }) {
    return false;
  } else {
    return WEIR_ONE_OF_8_TAKES(WEIR_8 WEIR_8) || WEIR_ONE_OF_8_TAKES(WEIR_8 WEIR_8 WEIR_8);
  }
}

#undef WEIR_ONE_OF_8_TAKES
#undef WEIR_8
#undef WEIR_TAKES

/// Templates of the standard library that hold values of their arguments, or addresses of them.
template <class T>
inline constexpr bool kArgumentHoldsAddress = false;
template <class T, class U>
inline constexpr bool kArgumentHoldsAddress<std::pair<T, U>> = holds_address<T>() || holds_address<U>();
template <class... Ts>
inline constexpr bool kArgumentHoldsAddress<std::tuple<Ts...>> = (holds_address<Ts>() || ...);
template <class T>
inline constexpr bool kArgumentHoldsAddress<std::optional<T>> = holds_address<T>();
template <class... Ts>
inline constexpr bool kArgumentHoldsAddress<std::variant<Ts...>> = (holds_address<Ts>() || ...);
template <class T>
inline constexpr bool kArgumentHoldsAddress<std::reference_wrapper<T>> = true;
template <class T>
inline constexpr bool kArgumentHoldsAddress<std::initializer_list<T>> = true;
template <class Promise>
inline constexpr bool kArgumentHoldsAddress<std::coroutine_handle<Promise>> = true;
template <>
inline constexpr bool kArgumentHoldsAddress<std::thread::id> = true;

/// True if T is, or is seen to have inside, a pointer, a reference, an iterator or a view (std::span, std::string_view).
/// Private members cannot be seen, nor those of a union but the first, nor an aggregate's beyond the 32nd.
template <class T>
consteval bool holds_address() {
  if constexpr (std::is_array_v<T>) {
    return holds_address<std::remove_all_extents_t<T>>();
  } else if constexpr (std::is_pointer_v<T> || std::is_member_pointer_v<T> || std::is_null_pointer_v<T> ||
                       std::is_reference_v<T> || std::is_function_v<T>) {
    return true;
  } else if constexpr (!std::is_class_v<T> && !std::is_union_v<T>) {
    return false;
  } else if constexpr (kArgumentHoldsAddress<std::remove_cv_t<T>>) {
    return true;
  } else if constexpr (std::input_or_output_iterator<T> || std::ranges::view<T>) {
    return true;
  } else if constexpr (!std::is_aggregate_v<T>) {
    return false;
  } else if constexpr (!requires { T{}; } && !std::is_copy_assignable_v<T>) {
    return true;  // a reference among its members
  } else {
    return member_holds_address<T>();
  }
}

/// An object type whose objects are their bytes.
template <class T>
concept plain = std::is_object_v<T> && !std::is_array_v<T> && !std::is_const_v<T> && !std::is_volatile_v<T> &&
                std::is_trivially_copyable_v<T> && std::is_move_constructible_v<T> && !holds_address<T>();

}  // namespace weir::detail
