// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <any>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/detail/type_name.hpp"
#include "weir/error.hpp"

namespace weir {

/// Named values of one process, which keep from call to call. Each process has its own; worker::global reads another's.
/// Lifetime  until they are set anew or erased, or the process ends by exit(): then they are destroyed.
/// Waiting   never. Threads  any member, any thread. Values of any copyable type.
class global_values {
 public:
  /// Sets `name` to a copy of `value`, whatever it was before. Text in quotes is kept as a std::string.
  template <class T>
  void set(std::string_view name, T&& value) {
    using kept = std::conditional_t<std::is_convertible_v<T, const char*>, std::string, std::remove_cvref_t<T>>;
    set_value(name, std::make_any<kept>(std::forward<T>(value)), detail::type_name<kept>());
  }
  /// A copy of the value. Throws undefined_global; type_mismatch if it is not a T.
  template <class T>
  [[nodiscard]] T get(std::string_view name) const {
    return std::any_cast<T>(get_value(name, typeid(T), detail::type_name<T>()));
  }
  [[nodiscard]] bool has(std::string_view name) const;
  /// False if there was none.
  bool erase(std::string_view name);
  /// In alphabetical order.
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  friend global_values& globals() noexcept;
  global_values() = default;
  static void set_value(std::string_view name, std::any value, std::string_view type);
  static std::any get_value(std::string_view name, const std::type_info& type, std::string_view type_name);
};

/// This process's.
[[nodiscard]] global_values& globals() noexcept;

namespace detail {

/// Throws what `get` throws; if that is a remote_error, what is nested in it.
template <class Get>
decltype(auto) without_remote_error(Get&& get) {
  try {
    return get();
  } catch (const remote_error& e) {
    e.rethrow_nested();
  }
}

}  // namespace detail
}  // namespace weir
