// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "weir/detail/cereal.hpp"
#include "weir/detail/handle_traits.hpp"
#include "weir/detail/item_type.hpp"
#include "weir/detail/payload.hpp"
#include "weir/detail/plain_type.hpp"
#include "weir/detail/type_name.hpp"
#include "weir/error.hpp"

/// What can be put in, sent and returned:
///   1. trivially copyable types that hold no address: their bytes. Looked for are pointers, references, iterators and
///      views, in the first 32 members of aggregates, at any depth; what a class keeps private is not seen. A class with
///      private members and a `serialize` of its own goes by that.
///   2. std::string and std::vector of such: the elements' bytes, one memcpy in, one out.
///   3. weir's handles, and weir::any.
///   4. what cereal knows: the standard library's containers (of types that can be sent and made by default), users'
///      classes with cereal's `serialize`, or `save` and `load`; these must have a default constructor.
/// Everything here may be used from any thread. Encoding never waits; decoding waits only to attach a handle.
namespace weir {

namespace detail {

/// How T travels; item_kind{} if it cannot.
template <class T>
[[nodiscard]] consteval item_kind kind_of();

/// Can be inside a container.
template <class T>
[[nodiscard]] consteval bool travels_inside() {
  if constexpr (kind_of<T>() == item_kind{}) {
    return false;
  } else {
    return std::is_default_constructible_v<T>;
  }
}

/// Containers of the standard library that cereal writes element by element: whether all that they hold can travel.
template <class... Ts>
struct contents {
  static consteval bool travel() { return (travels_inside<Ts>() && ...); }
};
template <class T>
struct contents_of;  // undefined: not such a container
template <class T, class U>
struct contents_of<std::pair<T, U>> : contents<T, U> {};
template <class... Ts>
struct contents_of<std::tuple<Ts...>> : contents<Ts...> {};
template <class T>
struct contents_of<std::optional<T>> : contents<T> {};
template <class... Ts>
struct contents_of<std::variant<Ts...>> : contents<Ts...> {};
template <class T, std::size_t N>
struct contents_of<std::array<T, N>> : contents<T> {};
template <class T, class A>
struct contents_of<std::vector<T, A>> : contents<T> {};
template <class T, class A>
struct contents_of<std::deque<T, A>> : contents<T> {};
template <class T, class A>
struct contents_of<std::list<T, A>> : contents<T> {};
template <class T, class A>
struct contents_of<std::forward_list<T, A>> : contents<T> {};
template <class T, class C, class A>
struct contents_of<std::set<T, C, A>> : contents<T> {};
template <class T, class C, class A>
struct contents_of<std::multiset<T, C, A>> : contents<T> {};
template <class T, class H, class E, class A>
struct contents_of<std::unordered_set<T, H, E, A>> : contents<T> {};
template <class T, class H, class E, class A>
struct contents_of<std::unordered_multiset<T, H, E, A>> : contents<T> {};
template <class K, class T, class C, class A>
struct contents_of<std::map<K, T, C, A>> : contents<K, T> {};
template <class K, class T, class C, class A>
struct contents_of<std::multimap<K, T, C, A>> : contents<K, T> {};
template <class K, class T, class H, class E, class A>
struct contents_of<std::unordered_map<K, T, H, E, A>> : contents<K, T> {};
template <class K, class T, class H, class E, class A>
struct contents_of<std::unordered_multimap<K, T, H, E, A>> : contents<K, T> {};

template <class T>
concept container = requires {
  contents_of<T>::travel();
};

/// The elements of a sequence, which lies in one piece.
template <class T>
struct sequence_traits;
template <class U, class A>
requires(!std::same_as<U, bool> && kind_of<U>() == item_kind::bytes) struct sequence_traits<std::vector<U, A>> {
  using element = U;
};
template <class C, class Traits, class A>
struct sequence_traits<std::basic_string<C, Traits, A>> {
  using element = C;
};

template <class T>
concept sequence = requires {
  typename sequence_traits<T>::element;
};
template <sequence T>
using element_of = typename sequence_traits<T>::element;

/// A concept, so that a class that is not known to cereal is asked nothing else: asking the standard library's own
/// classes, which any's constructor from any type meets, whether they can be moved would ask this again.
template <class T>
concept archivable = wire::serializable<T> && std::is_default_constructible_v<T> && std::is_move_constructible_v<T>;

template <class T>
consteval item_kind kind_of() {
  if constexpr (!std::is_object_v<T> || std::is_array_v<T> || std::is_const_v<T> || std::is_volatile_v<T>) {
    return item_kind{};
  } else if constexpr (handle<T>) {
    return item_kind::handle;
  } else if constexpr (std::same_as<T, any>) {
    return item_kind::any;
  } else if constexpr (sequence<T>) {
    return item_kind::sequence;
  } else if constexpr (plain<T> && (std::is_aggregate_v<T> || !wire::serializes_itself<T>)) {
    return item_kind::bytes;
  } else if constexpr (container<T>) {
    return contents_of<T>::travel() ? item_kind::archive : item_kind{};
  } else if constexpr (std::is_class_v<T> && archivable<T>) {
    return item_kind::archive;
  } else {
    return item_kind{};
  }
}

}  // namespace detail

/// True if a T can be put into a channel, sent with a call, and returned.
template <class T>
concept transportable = (detail::kind_of<T>() != detail::item_kind{});

namespace detail {

/// An error that says so if T cannot travel.
template <class T>
[[nodiscard]] consteval bool check_transportable() {
  static_assert(transportable<T>,
                "weir: this type cannot travel between processes: it holds a pointer or is not known to cereal (give "
                "it a cereal serialize member)");
  return true;
}
template <class T>
struct require_transportable {
  static constexpr bool value = check_transportable<T>();
};

/// codec<T>: from a T to the bytes of an item, and back.
///   static const item_type& type();
///   static void encode(encoder&, const T&);           // what the encoder refers to must live until the put
///   static T decode(std::span<const std::byte>);      // a body. Throws corrupt_segment, and what attaching throws
///   static void decode_into(T&, std::span<const std::byte>);   // the same, into the storage of a T
/// For a type that cannot travel it does nothing; check_transportable has said so then.
template <class T>
struct codec {
  static const item_type& type() {
    static const item_type kNone;
    return kNone;
  }
  static void encode(encoder& /*to*/, const T& /*value*/) {}
  [[noreturn]] static T decode(std::span<const std::byte> /*body*/) { std::terminate(); }
  [[noreturn]] static void decode_into(T& /*value*/, std::span<const std::byte> /*body*/) { std::terminate(); }
};

template <class T>
[[nodiscard]] const item_type& type_of_kind(item_kind kind) {
  static const item_type kType{.name = type_name<T>(), .hash = type_hash<T>(), .kind = kind, .element_name = {}};
  return kType;
}

[[noreturn]] void throw_wrong_size(std::string_view type, std::size_t found_bytes, std::string_view expected);

template <class T>
requires(kind_of<T>() == item_kind::bytes) struct codec<T> {
  static const item_type& type() {
    static const item_type kType{.name = type_name<T>(),
                                 .hash = type_hash<T>(),
                                 .kind = item_kind::bytes,
                                 .fixed_bytes = static_cast<std::uint32_t>(sizeof(T)),
                                 .element_name = {}};
    return kType;
  }
  static void encode(encoder& to, const T& value) { to.refer(std::as_bytes(std::span(std::addressof(value), 1))); }
  static T decode(std::span<const std::byte> body) {
    check(body);
    if constexpr (std::is_default_constructible_v<T>) {
      T value;
      std::memcpy(static_cast<void*>(std::addressof(value)), body.data(), sizeof(T));
      return value;
    } else {
      alignas(T) std::array<std::byte, sizeof(T)> bytes;
      std::memcpy(bytes.data(), body.data(), sizeof(T));
      return std::move(*std::launder(reinterpret_cast<T*>(bytes.data())));
    }
  }
  static void decode_into(T& value, std::span<const std::byte> body) {
    check(body);
    std::memcpy(static_cast<void*>(std::addressof(value)), body.data(), sizeof(T));
  }

 private:
  static void check(std::span<const std::byte> body) {
    if (body.size() != sizeof(T)) throw_wrong_size(type_name<T>(), body.size(), std::to_string(sizeof(T)));
    if constexpr (std::same_as<T, bool>) wire::check_bool(body[0]);
  }
};

template <sequence T>
struct codec<T> {
  using element = element_of<T>;

  static const item_type& type() {
    static const item_type kType{.name = type_name<T>(),
                                 .hash = type_hash<T>(),
                                 .kind = item_kind::sequence,
                                 .element_bytes = static_cast<std::uint32_t>(sizeof(element)),
                                 .element_name = type_name<element>()};
    return kType;
  }
  static void encode(encoder& to, const T& value) { to.refer(std::as_bytes(std::span(value.data(), value.size()))); }
  static T decode(std::span<const std::byte> body) {
    T value;
    decode_into(value, body);
    return value;
  }
  static void decode_into(T& value, std::span<const std::byte> body) {
    if (body.size() % sizeof(element) != 0) {
      throw_wrong_size(type_name<T>(), body.size(), "a multiple of " + std::to_string(sizeof(element)));
    }
    const std::size_t count = body.size() / sizeof(element);
    if (reinterpret_cast<std::uintptr_t>(body.data()) % alignof(element) == 0) {
      const auto* elements = reinterpret_cast<const element*>(body.data());
      value.assign(elements, elements + count);
      return;
    }
    value.clear();
    value.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      value.push_back(codec<element>::decode(body.subspan(i * sizeof(element), sizeof(element))));
    }
  }
};

template <handle T>
struct codec<T> {
  static const item_type& type() { return handle_traits<T>::type(); }
  static void encode(encoder& to, const T& value) {
    std::string reference = handle_traits<T>::reference(value);
    to.add_reference(reference);
    to.write(reference.data(), reference.size());
  }
  static T decode(std::span<const std::byte> body) {
    return handle_traits<T>::attach({reinterpret_cast<const char*>(body.data()), body.size()});
  }
  static void decode_into(T& value, std::span<const std::byte> body) { value = decode(body); }
};

template <class T>
requires(kind_of<T>() == item_kind::archive) struct codec<T> {
  static const item_type& type() { return type_of_kind<T>(item_kind::archive); }
  static void encode(encoder& to, const T& value) { wire::write_archive(to, value); }
  static T decode(std::span<const std::byte> body) { return wire::read_archive<T>(body); }
  static void decode_into(T& value, std::span<const std::byte> body) { value = decode(body); }
};

template <class S>
inline constexpr bool kIsSpan = false;
template <class U, std::size_t N>
inline constexpr bool kIsSpan<std::span<U, N>> = true;
template <class U, std::size_t N>
inline constexpr bool kIsSpan<std::array<U, N>> = true;

/// What a sequence T can be put from without being one.
template <class T>
struct source_view;
template <class U, class A>
struct source_view<std::vector<U, A>> {
  using type = std::span<const U>;
  template <class S>
  static constexpr bool kFrom = kIsSpan<S>&& std::convertible_to<const S&, type>;
};
template <class C, class Traits, class A>
struct source_view<std::basic_string<C, Traits, A>> {
  using type = std::basic_string_view<C, Traits>;
  template <class S>
  static constexpr bool kFrom = std::convertible_to<const S&, type>;
};

/// For a string: what converts to a string_view; for a vector: a std::span or std::array of its elements. For both: a
/// view of such an item in a channel (channel_views.hpp), which is so copied once only on its way to another channel.
template <class S, class T>
concept source_for = sequence<T> && !std::derived_from<S, T> && source_view<T>::template kFrom<S>;

/// The elements of such a source.
template <sequence T, source_for<T> S>
[[nodiscard]] std::span<const element_of<T>> elements_of(const S& source) {
  const typename source_view<T>::type view = source;
  return {view.data(), view.size()};
}

template <class T>
void encode_framed(encoder& to, const T& value) {
  const std::size_t frame = to.begin_frame();
  codec<T>::encode(to, value);
  to.end_frame(frame);
}
/// Encodes several values into one body, each framed. Large ones are referred to: they must live until the put.
template <class... Ts>
void encode_values([[maybe_unused]] encoder& to, const Ts&... values) {
  (encode_framed(to, values), ...);
}

template <class Tuple>
struct value_decoder;
template <class... Ts>
struct value_decoder<std::tuple<Ts...>> {
  static std::tuple<Ts...> decode(std::span<const std::byte> body) {
    frame_reader frames(body);
    std::tuple<Ts...> values{codec<Ts>::decode(frames.next())...};  // braces: in order
    frames.expect_end();
    return values;
  }
};
/// The values of a body that encode_values made. Throws corrupt_segment.
template <class Tuple>
[[nodiscard]] Tuple decode_values(std::span<const std::byte> body) {
  return value_decoder<Tuple>::decode(body);
}

}  // namespace detail
}  // namespace weir
