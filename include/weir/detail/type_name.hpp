// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

/// Names of types as they are spelled in a source file, the same from every compiler, so that programs that were built
/// by different ones agree on what a channel carries. Nothing here waits; any thread.
namespace weir::detail {

/// The type in `signature`, what type_signature() returned, in one spelling: builtin types by their shortest name
/// (`unsigned long`), `std::string`, no inline namespaces of the standard library, `(anonymous namespace)::x`, a type
/// that is local to a function without that function, and no spaces that are not needed.
[[nodiscard]] std::string spelled_type(std::string_view signature);

/// `spelling`, an instance of a class template, with its arguments replaced by `arguments`.
[[nodiscard]] std::string spelled_template(std::string_view spelling, std::span<const std::string_view> arguments);

template <class T>
const char* type_signature() noexcept {
  return __PRETTY_FUNCTION__;
}

template <class T>
[[nodiscard]] std::string_view type_name();

/// How a type is named. Specialise it, with the same `get`, for a type whose spelling compilers do not agree on: one in
/// an inline namespace.
template <class T>
struct type_name_of {
  static std::string get() { return spelled_type(type_signature<T>()); }
};

template <class T>
requires(!std::is_pointer_v<T> && !std::is_array_v<T> && !std::is_function_v<T>) struct type_name_of<const T> {
  static std::string get() { return "const " + std::string(type_name<T>()); }
};

template <class T, std::size_t N>
struct type_name_of<std::array<T, N>> {
  static std::string get() { return "std::array<" + std::string(type_name<T>()) + ", " + std::to_string(N) + '>'; }
};

template <class T, std::size_t N>
struct type_name_of<std::span<T, N>> {
  static std::string get() {
    const std::string extent = N == std::dynamic_extent ? "" : ", " + std::to_string(N);
    return "std::span<" + std::string(type_name<T>()) + extent + '>';
  }
};

template <>
struct type_name_of<std::string> {
  static std::string get() { return "std::string"; }
};

template <class... Ts>
struct type_list {};

/// How many of a template's arguments have to be spelled out; those after them are the default ones.
template <template <class...> class Template, class Whole, class... Spelled, class... Rest>
[[nodiscard]] consteval std::size_t spelled_arguments(type_list<Spelled...>, type_list<Rest...>) {
  if constexpr (sizeof...(Rest) == 0 || requires { requires std::is_same_v<Template<Spelled...>, Whole>; }) {
    return sizeof...(Spelled);
  } else {
    return []<class First, class... Others>(type_list<First, Others...>) {
      return spelled_arguments<Template, Whole>(type_list<Spelled..., First>(), type_list<Others...>());
    }(type_list<Rest...>());
  }
}

template <template <class...> class Template, class... Args>
struct type_name_of<Template<Args...>> {
  static std::string get() {
    using whole = Template<Args...>;
    constexpr std::size_t kSpelled = spelled_arguments<Template, whole>(type_list<>(), type_list<Args...>());
    const std::array<std::string_view, sizeof...(Args)> arguments = {type_name<Args>()...};
    return spelled_template(spelled_type(type_signature<whole>()), std::span(arguments).first(kSpelled));
  }
};

/// The name of T, `std::vector<double>`. Valid until the process ends, in destructors of static objects too.
template <class T>
std::string_view type_name() {
  static const std::string& name = *new std::string(type_name_of<T>::get());
  return name;
}

/// FNV-1a, 64 bits.
[[nodiscard]] constexpr std::uint64_t hash_of(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

/// hash_of() the name of T.
template <class T>
[[nodiscard]] std::uint64_t type_hash() {
  static const std::uint64_t kHash = hash_of(type_name<T>());
  return kHash;
}

}  // namespace weir::detail
