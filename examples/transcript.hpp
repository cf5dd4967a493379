// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/weir.hpp>

#include <iostream>
#include <optional>
#include <ranges>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// Shows lines of C++ as they run, and what comes of them, as an interactive session would.

/// Shows an expression, then its value, or the error that it throws.
#define SHOW(...) transcript::show(#__VA_ARGS__, [&]() -> decltype(auto) { return __VA_ARGS__; })
/// Shows a statement, and runs it in this scope.
#define RUN(...)                  \
  transcript::line(#__VA_ARGS__); \
  __VA_ARGS__

namespace transcript {

inline void title(std::string_view text) { std::cout << "\n---- " << text << "\n\n"; }
inline void note(std::string_view text) { std::cout << "  # " << text << '\n'; }
inline void line(std::string_view code) { std::cout << "> " << code << '\n' << std::flush; }

/// A value as a person would write it.
template <class T>
std::string text(const T& value) {
  std::ostringstream out;
  if constexpr (std::is_same_v<T, bool>) {
    out << (value ? "true" : "false");
  } else if constexpr (std::is_convertible_v<T, std::string_view>) {
    out << '"' << std::string_view(value) << '"';
  } else if constexpr (std::is_same_v<T, weir::any>) {
    out << (value.template holds<std::string>() ? text(value.template as<std::string>())
                                                : "a value of type " + std::string(value.type_name()));
  } else if constexpr (requires { value.has_value(); }) {
    out << (value.has_value() ? text(*value) : "nothing");
  } else if constexpr (requires { out << value; }) {
    out << value;
  } else {
    static_assert(std::ranges::input_range<T>);
    out << '[';
    std::string_view separator;
    for (const auto& each : value) out << std::exchange(separator, ", ") << text(each);
    out << ']';
  }
  return out.str();
}

template <class Expression>
void show(std::string_view code, const Expression& expression) {
  line(code);
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Expression>>) {
      expression();
    } else {
      const auto& value = expression();
      std::cout << "  " << text(value) << '\n';
    }
  } catch (const weir::error& e) {
    std::cout << "  error: " << e.what() << '\n';
  }
}

}  // namespace transcript
