// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cereal/archives/binary.hpp>
#include <cereal/cereal.hpp>
#include <cereal/types/array.hpp>
#include <cereal/types/bitset.hpp>
#include <cereal/types/chrono.hpp>
#include <cereal/types/common.hpp>
#include <cereal/types/complex.hpp>
#include <cereal/types/deque.hpp>
#include <cereal/types/forward_list.hpp>
#include <cereal/types/list.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/set.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/tuple.hpp>
#include <cereal/types/unordered_map.hpp>
#include <cereal/types/unordered_set.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/variant.hpp>
#include <cereal/types/vector.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <list>
#include <map>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/detail/handle_traits.hpp"
#include "weir/detail/payload.hpp"
#include "weir/detail/plain_type.hpp"
#include "weir/detail/type_name.hpp"
#include "weir/error.hpp"

namespace weir {
class any;
}

namespace weir::detail {
template <class T>
struct codec;
}

/// The only file that knows the serialisation library. cereal's binary format, but into and out of memory, with every
/// length checked before anything is allocated for it, and with weir's handles and values of any type inside. What these
/// archives read and write is the same as with cereal::BinaryOutputArchive but for that.
/// A namespace of their own keeps these functions away from the archives of others.
namespace weir::detail::wire {

/// Classes and containers that lie in each other. Enough for what people write, little enough for any thread's stack.
inline constexpr int kDeepest = 1000;

class output_archive : public cereal::OutputArchive<output_archive, cereal::AllowEmptyClassElision> {
 public:
  explicit output_archive(encoder& out)
      : cereal::OutputArchive<output_archive, cereal::AllowEmptyClassElision>(this), out_(out) {}
  void write(const void* bytes, std::size_t count) { out_.write(bytes, count); }
  [[nodiscard]] encoder& out() noexcept { return out_; }
  /// As input_archive's, so that nothing is sent that nobody can read.
  void enter() {
    if (++depth_ > kDeepest) {
      throw invalid_argument("weir: send a value: its objects lie more than " + std::to_string(kDeepest) + " deep");
    }
  }
  void leave() noexcept { --depth_; }

 private:
  encoder& out_;
  int depth_ = 0;
};

class input_archive : public cereal::InputArchive<input_archive, cereal::AllowEmptyClassElision> {
 public:
  explicit input_archive(std::span<const std::byte> bytes)
      : cereal::InputArchive<input_archive, cereal::AllowEmptyClassElision>(this), rest_(bytes) {}

  [[nodiscard]] std::span<const std::byte> read(std::size_t count) {
    if (count > rest_.size()) {
      throw cereal::Exception(std::to_string(count) + " bytes are wanted where " + std::to_string(rest_.size()) +
                              " are left");
    }
    const auto bytes = rest_.first(count);
    rest_ = rest_.subspan(count);
    return bytes;
  }
  void read_to(void* to, std::size_t count) {
    if (count > 0) std::memcpy(to, read(count).data(), count);
  }
  /// A number of elements that are to follow. Elements take a byte at least, but for empty ones.
  void check_count(std::uint64_t count) const {
    constexpr std::uint64_t kHarmless = 65536;
    if (count > rest_.size() && count > kHarmless) {
      throw cereal::Exception(std::to_string(count) + " elements cannot be in the " + std::to_string(rest_.size()) +
                              " bytes that are left");
    }
  }
  [[nodiscard]] std::size_t left() const noexcept { return rest_.size(); }

  /// Around each object of a class: those of recursive classes lie as deep in each other as the bytes say.
  void enter() {
    if (++depth_ > kDeepest) throw cereal::Exception("objects lie more than " + std::to_string(kDeepest) + " deep");
  }
  void leave() noexcept { --depth_; }

 private:
  std::span<const std::byte> rest_;
  int depth_ = 0;
};

/// Neither true nor false is no bool, and would be undefined behaviour.
inline void check_bool(std::byte byte) {
  if (byte > std::byte{1})
    throw corrupt_segment("weir: read a bool: it is " + std::to_string(std::to_integer<int>(byte)));
}

/// Known to cereal, by functions of the class or of a header of cereal's or the user's.
template <class T>
concept known_to_cereal = cereal::traits::is_output_serializable<T, cereal::BinaryOutputArchive>::value &&
    cereal::traits::is_input_serializable<T, cereal::BinaryInputArchive>::value;

/// The class itself says how it is to be serialised.
template <class T>
concept serializes_itself = std::is_class_v<T> &&
    (cereal::traits::has_member_serialize<T, output_archive>::value ||
     cereal::traits::has_member_versioned_serialize<T, output_archive>::value ||
     cereal::traits::has_member_save<T, output_archive>::value ||
     cereal::traits::has_member_versioned_save<T, output_archive>::value ||
     cereal::traits::has_member_save_minimal<T, output_archive>::value);

/// A class of the user's that needs no serialisation, inside something that does.
template <class T>
concept plain_class = (std::is_class_v<T> || std::is_union_v<T>)&&plain<T> && !handle<T> && !known_to_cereal<T>;

// ---------------------------------------------------------------- what archives have to know; names are cereal's choice

template <class T>
requires std::is_arithmetic_v<T>
void CEREAL_SAVE_FUNCTION_NAME(output_archive& to, const T& value) { to.write(&value, sizeof value); }
template <class T>
requires std::is_arithmetic_v<T>
void CEREAL_LOAD_FUNCTION_NAME(input_archive& from, T& value) {
  if constexpr (std::same_as<T, bool>) {
    const std::byte byte = from.read(1)[0];
    check_bool(byte);
    value = byte == std::byte{1};
  } else {
    from.read_to(&value, sizeof value);
  }
}

template <class T>
concept our_archive = std::same_as<T, input_archive> || std::same_as<T, output_archive>;
template <our_archive A, class T>
requires std::is_class_v<T>
void prologue(A& archive, const T& /*value*/) { archive.enter(); }
template <our_archive A, class T>
requires std::is_class_v<T>
void epilogue(A& archive, const T& /*value*/) { archive.leave(); }

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(output_archive& to, const cereal::NameValuePair<T>& pair) {
  to(pair.value);
}
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(input_archive& from, cereal::NameValuePair<T>& pair) {
  from(pair.value);
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(output_archive& to, const cereal::SizeTag<T>& count) {
  to(count.size);
}
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(input_archive& from, cereal::SizeTag<T>& count) {
  from(count.size);
  from.check_count(count.size);
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(output_archive& to, const cereal::BinaryData<T>& data) {
  to.write(data.data, static_cast<std::size_t>(data.size));
}
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(input_archive& from, cereal::BinaryData<T>& data) {
  from.read_to(data.data, static_cast<std::size_t>(data.size));
}

/// Elements are made as their bytes come, not as many at once as a number says that might be anything.
template <class Container>
void load_one_by_one(input_archive& from, Container& values) {
  cereal::size_type count = 0;
  from(cereal::make_size_tag(count));
  values.clear();
  if constexpr (requires { values.reserve(0); }) {
    using element = typename Container::value_type;
    values.reserve(std::min<std::size_t>(count, from.left() / sizeof(element) + 1));
  }
  for (; count > 0; --count) from(values.emplace_back());
}
template <class T, class A>
requires(!std::is_arithmetic_v<T>) void CEREAL_LOAD_FUNCTION_NAME(input_archive& from, std::vector<T, A>& values) {
  load_one_by_one(from, values);
}
template <class T, class A>
void CEREAL_LOAD_FUNCTION_NAME(input_archive& from, std::deque<T, A>& values) {
  load_one_by_one(from, values);
}
template <class T, class A>
void CEREAL_LOAD_FUNCTION_NAME(input_archive& from, std::list<T, A>& values) {
  load_one_by_one(from, values);
}

// Of equal keys cereal puts each before the one that came before it, so that they would change their order on every way.
template <class K, class V, class Less, class A>
void CEREAL_LOAD_FUNCTION_NAME(input_archive& from, std::multimap<K, V, Less, A>& values) {
  cereal::size_type count = 0;
  from(cereal::make_size_tag(count));
  values.clear();
  for (; count > 0; --count) {
    K key;
    V value;
    from(cereal::make_map_item(key, value));
    values.emplace_hint(values.end(), std::move(key), std::move(value));
  }
}
template <class K, class Less, class A>
void CEREAL_LOAD_FUNCTION_NAME(input_archive& from, std::multiset<K, Less, A>& values) {
  cereal::size_type count = 0;
  from(cereal::make_size_tag(count));
  values.clear();
  for (; count > 0; --count) {
    K key;
    from(key);
    values.emplace_hint(values.end(), std::move(key));
  }
}

// ------------------------------------------------------------------------------------- what weir can send besides

template <plain_class T>
void CEREAL_SAVE_FUNCTION_NAME(output_archive& to, const T& value) {
  to.write(&value, sizeof value);
}
template <plain_class T>
void CEREAL_LOAD_FUNCTION_NAME(input_archive& from, T& value) {
  from.read_to(&value, sizeof value);
}

/// A handle or an any: u64 length, then as it would be alone.
template <class T>
requires(handle<T> || std::same_as<T, any>) void CEREAL_SAVE_FUNCTION_NAME(output_archive& to, const T& value) {
  encoder alone;
  codec<T>::encode(alone, value);
  const std::vector<std::byte> body = alone.body();
  for (std::string& reference : alone.release_references()) to.out().add_reference(std::move(reference));
  to(std::uint64_t{body.size()});
  to.write(body.data(), body.size());
}
template <class T>
requires(handle<T> || std::same_as<T, any>) void CEREAL_LOAD_FUNCTION_NAME(input_archive& from, T& value) {
  std::uint64_t bytes = 0;
  from(bytes);
  value = codec<T>::decode(from.read(bytes));
}

template <class T>
concept serializable = cereal::traits::is_output_serializable<T, output_archive>::value &&
    cereal::traits::is_input_serializable<T, input_archive>::value;

template <class T>
void write_archive(encoder& out, const T& value) {
  output_archive archive(out);
  archive(value);
}

/// Throws corrupt_segment if `bytes` are not what write_archive makes of a T.
template <class T>
[[nodiscard]] T read_archive(std::span<const std::byte> bytes) {
  const auto refuse = [](const std::string& why) {
    throw corrupt_segment("weir: read a value of type " + std::string(type_name<T>()) + ": " + why);
  };
  T value{};
  input_archive archive(bytes);
  try {
    archive(value);
  } catch (const cereal::Exception& e) {
    refuse(e.what());
  } catch (const std::invalid_argument& e) {  // of std::bitset, whose text has other characters than 0 and 1
    refuse(e.what());
  }
  if (archive.left() > 0) refuse(std::to_string(archive.left()) + " bytes are left over");
  return value;
}

}  // namespace weir::detail::wire

CEREAL_REGISTER_ARCHIVE(weir::detail::wire::output_archive)
CEREAL_REGISTER_ARCHIVE(weir::detail::wire::input_archive)
CEREAL_SETUP_ARCHIVE_TRAITS(weir::detail::wire::input_archive, weir::detail::wire::output_archive)
