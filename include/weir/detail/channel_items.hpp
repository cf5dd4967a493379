// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "weir/codec.hpp"
#include "weir/detail/channel_core.hpp"
#include "weir/detail/fast_path.hpp"
#include "weir/detail/payload.hpp"
#include "weir/error.hpp"

/// Between a T and the untyped core: items on their way in (outgoing, made by prepare) and out (take_value, unpack).
namespace weir::detail {

/// Items of a fixed size up to this lie in the slots, and are copied straight between there and the caller's object.
inline constexpr std::size_t kLargestInSlot = 240;
template <class T>
inline constexpr bool kFixedInSlot = kind_of<T>() == item_kind::bytes && sizeof(T) <= kLargestInSlot;

/// Conversions that C++ makes quietly and that change the value: a channel does not.
template <class S, class T>
concept lossy_for = (std::floating_point<S> && std::integral<T>) || (std::is_pointer_v<S> && std::same_as<T, bool>);

/// What put() takes.
template <class S, class T>
concept puts_into = !lossy_for<std::remove_cvref_t<S>, T> &&
                    (std::convertible_to<S, const T&> || source_for<std::remove_cvref_t<S>, T>);

/// An object with fixed bytes; must stay where it is, as all items must, until it has been put.
struct outgoing_fixed {
  const void* object;
  std::size_t bytes;
  bool put(channel_core& core, deadline until, wake when = wake::now) const {
    return put_fixed(core, object, bytes, until, when);
  }
};

/// Bytes in one piece.
struct outgoing_piece {
  std::span<const std::byte> piece;
  bool put(channel_core& core, deadline until, wake when = wake::now) const {
    return detail::put(core, payload{.parts = {&piece, 1}, .has_references = false}, until, when);
  }
};

/// All else: encoded once, however often it is tried.
class outgoing_encoded {
 public:
  template <class T>
  explicit outgoing_encoded(const T& item) {
    codec<T>::encode(encoded_, item);
  }
  bool put(channel_core& core, deadline until, wake when = wake::now) {
    if (!detail::put(core, encoded_.item(), until, when)) return false;
    encoded_.sent();
    return true;
  }
  /// For those who put it themselves.
  [[nodiscard]] payload item() { return encoded_.item(); }
  void sent() noexcept { encoded_.sent(); }

 private:
  encoder encoded_;
};

/// `item` as T, or as a source for T.
template <class T, class S>
[[nodiscard]] auto prepare(const S& item) {
  if constexpr (!std::is_same_v<S, T>) {
    return outgoing_piece{std::as_bytes(elements_of<T>(item))};
  } else if constexpr (kFixedInSlot<T>) {
    return outgoing_fixed{std::addressof(item), sizeof(T)};
  } else if constexpr (kind_of<T>() == item_kind::bytes) {
    return outgoing_piece{std::as_bytes(std::span(std::addressof(item), 1))};
  } else if constexpr (kind_of<T>() == item_kind::sequence) {
    return outgoing_piece{std::as_bytes(std::span(item.data(), item.size()))};
  } else {
    return outgoing_encoded(item);
  }
}

/// Items that may lie in the slots and be copied straight between there and the caller's object.
template <class T>
inline constexpr bool kHasFastPath = kFixedInSlot<T> || sequence<T>;

/// Puts an item without waiting, if nothing at all is in the way. False: it has not; the general way goes on.
template <class T, class S>
bool put_fast([[maybe_unused]] fast_path& way, [[maybe_unused]] const S& item, [[maybe_unused]] wake when = wake::now) {
  if constexpr (!kHasFastPath<T> || !(std::same_as<S, T> || source_for<S, T>)) {
    return false;
  } else if constexpr (kFixedInSlot<T>) {
    return way.put_fixed(std::addressof(item), sizeof item, when == wake::now);
  } else if constexpr (std::same_as<S, T>) {
    return way.put_piece(item.data(), item.size() * sizeof(element_of<T>), when == wake::now);
  } else {
    const auto elements = elements_of<T>(item);
    return way.put_piece(elements.data(), elements.size_bytes(), when == wake::now);
  }
}

/// Takes one in the same way.
template <class T>
bool take_fast([[maybe_unused]] fast_path& way, [[maybe_unused]] T& item) {
  if constexpr (kFixedInSlot<T>) {
    return way.take_fixed(std::addressof(item), sizeof item);
  } else if constexpr (sequence<T>) {
    const auto make_room = [&item](std::size_t bytes) {
      item.reserve(bytes / sizeof(element_of<T>));
      return bytes % sizeof(element_of<T>) == 0;
    };
    return way.take_piece(make_room,
                          [&item](std::span<const std::byte> body) noexcept { codec<T>::decode_into(item, body); });
  } else {
    return false;
  }
}

/// Takes one with `take(way)` by the fast way, now or after spinning for it. False: the general way goes on, until `until`,
/// which was never.
template <class Take>
bool take_soon(fast_path* way, deadline& until, Take&& take) {
  if (way == nullptr) return false;
  if (take(*way)) return true;
  switch (way->spin_for_item()) {
    case fast_path::spun::item: return take(*way);
    case fast_path::spun::vainly: until = deadline::never_having_spun(); return false;
    case fast_path::spun::not_at_all: return false;
  }
  return false;
}

/// Wakes the takers of a batch when it is done, however that ends.
class batch {
 public:
  explicit batch(channel_core& core) noexcept : core_(core) {}
  batch(const batch&) = delete;
  batch& operator=(const batch&) = delete;
  ~batch() { wake_takers(core_, count_); }
  void add_one() noexcept { ++count_; }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }

 private:
  channel_core& core_;
  std::size_t count_ = 0;
};

/// Decodes an item that has been taken with `decode`, and takes the pins of its references back. If that throws, the item
/// is given back to the channel first, unless no other taker could do better: what a handle in it refers to has gone, or
/// its bytes make no sense. Such an item would otherwise come first for ever.
template <class Decode>
auto unpack(taken_item& item, Decode&& decode) {
  try {
    if (!item.has_references()) return decode(item.bytes());
    auto value = decode(split_references(item.bytes(), true).body);
    release_references(item.bytes());
    return value;
  } catch (const not_found&) {
    if (item.has_references()) release_references(item.bytes());
    throw;
  } catch (const corrupt_segment&) {
    throw;
  } catch (...) {
    item.give_back();
    throw;
  }
}

template <class T>
[[nodiscard]] T unpack(taken_item& item) {
  return unpack(item, [](std::span<const std::byte> body) { return codec<T>::decode(body); });
}

/// Takes one item; nullopt if there was none until the deadline, or stop was requested.
template <class T>
[[nodiscard]] std::optional<T> take_value(const core_handle& core, deadline until, const std::stop_token& stop = {}) {
  if constexpr (kFixedInSlot<T> && std::is_default_constructible_v<T>) {
    std::optional<T> value(std::in_place);
    if (take_fixed(*core, std::addressof(*value), sizeof(T), until, stop) != take_status::taken) value.reset();
    return value;
  } else {
    taken_item item;
    if (take(core, item, until, hold::copy, stop) != take_status::taken) return std::nullopt;
    return unpack<T>(item);
  }
}

/// Takes one item, however long that takes. `way` is that of `core`.
template <class T>
[[nodiscard]] T take_one(const core_handle& core, [[maybe_unused]] fast_path* way) {
  deadline until = deadline::never();
  if constexpr (kHasFastPath<T> && std::is_default_constructible_v<T>) {
    if (T value; take_soon(way, until, [&value](fast_path& w) { return take_fast(w, value); })) return value;
  }
  if constexpr (kFixedInSlot<T> && std::is_default_constructible_v<T>) {
    T value;
    take_fixed(*core, std::addressof(value), sizeof(T), until);
    return value;
  } else {
    taken_item item;
    take(core, item, until);
    return unpack<T>(item);
  }
}

/// False: there was none until the deadline.
template <class T>
bool take_value_into(const core_handle& core, T& value, deadline until = deadline::never()) {
  if constexpr (kFixedInSlot<T>) {
    return take_fixed(*core, std::addressof(value), sizeof(T), until) == take_status::taken;
  } else {
    taken_item item;
    if (take(core, item, until) != take_status::taken) return false;
    return unpack(item, [&value](std::span<const std::byte> body) {
      codec<T>::decode_into(value, body);
      return true;
    });
  }
}

/// Gives an item back that does not have as many bytes as a T can have, and throws corrupt_segment.
template <class T>
void check_item(taken_item& item, bool is_right) {
  if (is_right) return;
  const std::size_t bytes = item.bytes().size();
  item.give_back();
  throw_wrong_size(type_name<T>(), bytes, "whole elements");
}

template <class T>
[[nodiscard]] T decode_copy(const item_copy& copy) {
  return codec<T>::decode(split_references(copy.bytes, copy.has_references).body);
}

template <class T>
[[nodiscard]] std::optional<T> fetch_value(const core_handle& core, deadline until) {
  item_copy copy;
  if (fetch(*core, copy, until) != take_status::taken) return std::nullopt;
  return decode_copy<T>(copy);
}

}  // namespace weir::detail
