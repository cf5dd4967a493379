// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/codec.hpp"
#include "weir/detail/call.hpp"
#include "weir/detail/team_core.hpp"
#include "weir/error.hpp"

/// From values to what a rank brings to a meeting, and back.
namespace weir::detail {

template <class T>
[[nodiscard]] team_call typed_call(collective operation, std::uint32_t root = kNoRoot) {
  return {operation, root, type_hash<T>(), &type_name<T>};
}

/// Plain values and sequences of such are their bytes: nothing needs to be encoded.
template <class T>
[[nodiscard]] meeting meet_with(team_core& core, const team_call& call, const T& value) {
  if constexpr (kind_of<T>() == item_kind::bytes) {
    return meeting(core, call, std::as_bytes(std::span(std::addressof(value), 1)));
  } else if constexpr (sequence<T>) {
    return meeting(core, call, std::as_bytes(std::span(value.data(), value.size())), value.size());
  } else if constexpr (container<T> && requires { value.size(); }) {
    encoder encoded;
    codec<T>::encode(encoded, value);
    return meeting(core, call, encoded, value.size());
  } else {
    encoder encoded;
    codec<T>::encode(encoded, value);
    return meeting(core, call, encoded);
  }
}

// -------------------------------------------------------------------------------------------------------------- ranges

template <class Range>
using element_type = travelling_t<std::ranges::range_value_t<Range>>;

/// Brings the elements, one after the other (each framed, if it is not its bytes), and calls read(meeting).
template <class Range, class Read>
auto meet_with_range(team_core& core, const team_call& call, const Range& range, const Read& read) {
  using element = element_type<Range>;
  if constexpr (kind_of<element>() == item_kind::bytes && std::ranges::contiguous_range<const Range> &&
                std::ranges::sized_range<const Range> && std::same_as<element, std::ranges::range_value_t<Range>>) {
    const std::span<const element> elements(std::ranges::data(range), std::ranges::size(range));
    const meeting all(core, call, std::as_bytes(elements), elements.size());
    return read(all);
  } else if constexpr (kind_of<element>() == item_kind::bytes) {
    encoder encoded;
    std::uint64_t count = 0;
    for (auto&& each : range) {
      const std::ranges::range_value_t<Range> value = each;
      const auto& sent = as_travelling<element>(value);
      encoded.write(std::addressof(sent), sizeof sent);
      ++count;
    }
    const meeting all(core, call, encoded, count);
    return read(all);
  } else if constexpr (std::same_as<std::ranges::range_reference_t<const Range>, const element&>) {
    encoder encoded;
    std::uint64_t count = 0;
    for (const element& each : range) {
      encode_framed(encoded, each);
      ++count;
    }
    const meeting all(core, call, encoded, count);
    return read(all);
  } else {
    std::vector<element> values;  // the encoder refers to them
    for (auto&& each : range) {
      const std::ranges::range_value_t<Range>& value = each;
      values.push_back(as_travelling<element>(value));
    }
    return meet_with_range(core, call, values, read);
  }
}

/// Appends `count` elements, from that of number `first` on. Throws corrupt_segment.
template <class T>
void append_elements(std::vector<T>& to, const contribution& from, std::size_t first, std::size_t count) {
  if constexpr (kind_of<T>() == item_kind::bytes) {
    if (from.body.size() / sizeof(T) < first + count) throw_wrong_size(type_name<T>(), from.body.size(), "more");
    for (std::size_t i = first; i < first + count; ++i) {
      to.push_back(codec<T>::decode(from.body.subspan(i * sizeof(T), sizeof(T))));
    }
  } else {
    frame_reader frames(from.body);
    for (std::size_t i = 0; i < first; ++i) static_cast<void>(frames.next());
    for (std::size_t i = 0; i < count; ++i) to.push_back(codec<T>::decode(frames.next()));
  }
}

template <class T>
[[nodiscard]] std::vector<T> elements_in(const contribution& from, std::size_t first, std::size_t count) {
  std::vector<T> values;
  values.reserve(count);
  append_elements(values, from, first, count);
  return values;
}

// ----------------------------------------------------------------------------------------------------------- combining

template <class T, class Op>
concept combines_values = std::is_invocable_v<Op&, const T&, const T&>;

/// Of a vector whose elements op takes.
template <class T>
struct vector_element {};
template <class U, class A>
struct vector_element<std::vector<U, A>> {
  using type = U;
};
template <class T, class Op>
[[nodiscard]] consteval bool combines_elements() {
  if constexpr (!combines_values<T, Op> && requires { typename vector_element<T>::type; }) {
    return combines_values<typename vector_element<T>::type, Op>;
  } else {
    return false;
  }
}

/// Throws, on all ranks, if op combines vectors element by element and they have not all the same length.
template <class T, class Op>
void check_equal_lengths(team_core& core, const meeting& all, const char* operation) {
  static_assert(combines_values<T, Op> || combines_elements<T, Op>(),
                "weir: the operation takes neither two of the values nor, if these are vectors, two of their elements");
  if constexpr (combines_elements<T, Op>()) {
    const std::uint64_t expected = all.of(0).count;
    for (std::uint32_t r = 1; r < size_of(core); ++r) {
      const std::uint64_t found = all.of(r).count;
      if (found == expected) continue;
      throw_team_differs(core, std::string(operation) + ": rank 0 brought " + std::to_string(expected) +
                                   " elements, rank " + std::to_string(r) + ' ' + std::to_string(found));
    }
  }
}

/// All ranks' values combined in their order.
template <class T, class Op>
[[nodiscard]] T combine_all(team_core& core, const meeting& all, Op& op) {
  T result = codec<T>::decode(all.of(0).body);
  for (std::uint32_t r = 1; r < size_of(core); ++r) {
    const contribution next = all.of(r);
    if constexpr (combines_values<T, Op>) {
      const T value = codec<T>::decode(next.body);
      result = static_cast<T>(op(std::as_const(result), value));
    } else if constexpr (sequence<T>) {
      using element = element_of<T>;
      const bool in_place = reinterpret_cast<std::uintptr_t>(next.body.data()) % alignof(element) == 0;
      if (next.body.size() != result.size() * sizeof(element)) {
        throw_wrong_size(type_name<T>(), next.body.size(), std::to_string(result.size() * sizeof(element)));
      }
      std::optional<T> copy;
      if (!in_place) copy.emplace(codec<T>::decode(next.body));
      const auto* elements = in_place ? reinterpret_cast<const element*>(next.body.data()) : copy->data();
      element* to = result.data();
      const std::size_t count = result.size();
      for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<element>(op(std::as_const(to[i]), elements[i]));
    } else {
      const T value = codec<T>::decode(next.body);
      auto from = value.begin();
      for (auto&& to : result) {
        using element = typename vector_element<T>::type;
        to = static_cast<element>(op(static_cast<const element&>(to), static_cast<const element&>(*from)));
        ++from;
      }
    }
  }
  return result;
}

}  // namespace weir::detail
