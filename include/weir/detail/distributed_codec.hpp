// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "weir/detail/division.hpp"
#include "weir/distributed_array.hpp"

/// How a distributed array travels. Comes at the end of distributed_array.hpp.
namespace weir {

namespace detail {

template <class T, std::size_t Rank>
struct handle_traits<distributed_array<T, Rank>> {
  static const item_type& type() { return type_of_kind<distributed_array<T, Rank>>(item_kind::handle); }
};

/// The array's reference, which is what is pinned, and the division behind it.
template <class T, std::size_t Rank>
struct codec<distributed_array<T, Rank>> {
  using handle = distributed_array<T, Rank>;
  static const item_type& type() { return handle_traits<handle>::type(); }
  static void encode(encoder& to, const handle& value) {
    const std::string reference = pin_array(value.core());
    to.add_reference(reference);
    const std::string query = value.how().query();
    to.write(reference.data(), reference.size());
    to.write(query.data(), query.size());
  }
  static handle decode(std::span<const std::byte> body) {
    const std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
    const std::size_t query = std::min(text.find('?'), text.size());
    auto storage = handle_traits<array<T, Rank>>::attach(text.substr(0, query));
    division how(storage.extents(), text.substr(query));
    return handle(std::move(storage), std::move(how));
  }
  static void decode_into(handle& value, std::span<const std::byte> body) { value = decode(body); }
};

}  // namespace detail

}  // namespace weir
