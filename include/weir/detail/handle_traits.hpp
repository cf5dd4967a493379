// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "weir/detail/item_type.hpp"

namespace weir::detail {

/// How a handle travels: as the name of its object. Specialised for each handle type, before anything sends one:
///
///   static const item_type& type();
///   static std::string reference(const Handle&);   // pins the object; the name under which attach() finds it
///   static Handle attach(std::string_view reference);
template <class Handle>
struct handle_traits;

template <class T>
concept handle = requires {
  { handle_traits<T>::type() } -> std::same_as<const item_type&>;
};

}  // namespace weir::detail
