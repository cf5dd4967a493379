// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/type_tree.hpp"
#include "inspect/value.hpp"
#include "weir/detail/item_type.hpp"

/// The parts of value_reader.
namespace weir::inspect {

/// How values of a type are put together.
enum class node_shape : std::uint8_t {
  unknown,  // a user's own type
  number,   // all scalars
  string,   // of characters
  list,     // count, elements
  map,      // count, key, value, key, value
  row,      // `count` elements: array, complex
  tuple,    // each of `inside`
  optional,
  variant,
  nothing,   // monostate
  duration,  // and time_point
  bits,
  handle,
  any,
};

struct value_node {
  node_shape shape = node_shape::unknown;
  std::string type;
  scalar_type number;              // of a number, or a string's characters
  std::uint64_t count = 0;         // of a row; bits of bits
  std::string unit;                // of a duration
  std::vector<value_node> inside;  // types of elements, key and value, alternatives, ...
  std::optional<layout_in_memory> layout;
  std::optional<std::uint64_t> archived;  // bytes of each in an archive, if all have the same

  [[nodiscard]] static value_node make(const type_tree& type);
};

/// A scalar of these bytes, which are as many as it has.
[[nodiscard]] value read_scalar(scalar_type type, std::span<const std::byte> bytes);
/// Of numbers that lie one after the other; nothing for other scalars, and for none.
[[nodiscard]] std::optional<statistics> statistics_of(scalar_type type, std::span<const std::byte> bytes);
/// The same of numbers that come in pieces, each of whole ones.
class statistics_maker {
 public:
  explicit statistics_maker(scalar_type type) noexcept;
  void add(std::span<const std::byte> bytes);
  [[nodiscard]] std::optional<statistics> result() const;

 private:
  scalar_type type_;
  std::array<std::byte, 16> least_{};  // of the numbers' own type
  std::array<std::byte, 16> greatest_{};
  long double sum_ = 0;
  std::uint64_t numbers_ = 0;
  std::uint64_t not_numbers_ = 0;
};
/// Characters of so many bytes as UTF-8; the first ones of a long text.
[[nodiscard]] value read_text(std::span<const std::byte> bytes, std::size_t character_bytes);
/// The first ones in hexadecimal.
[[nodiscard]] value read_unknown(const std::string& type, std::span<const std::byte> bytes);
/// `01101`, the highest bit first as std::bitset prints it; `bit` says of each number whether it is set.
template <class Bit>
[[nodiscard]] value bits_text(std::uint64_t count, const Bit& bit) {
  constexpr std::uint64_t kMost = 256;
  value out = value::of_kind(value_kind::text);
  for (std::uint64_t i = 0; i < count && i < kMost; ++i) out.text += bit(count - 1 - i) ? '1' : '0';
  if (count > kMost) out.count = count;
  return out;
}

/// How much of one item may be shown: a number of values, and how deep they may lie in each other.
struct reading_budget {
  int values = 4000;
  int depth = 60;
};

/// A value as it lies in memory.
[[nodiscard]] value read_memory(const value_node& node, std::span<const std::byte> bytes, reading_budget& budget);
/// Elements of `each` bytes, as many as there are.
[[nodiscard]] value read_elements(const value_node& element, std::size_t each, std::span<const std::byte> bytes,
                                  reading_budget& budget);
/// A whole archive.
[[nodiscard]] value read_archive(const value_node& node, std::span<const std::byte> bytes, reading_budget& budget);
/// What a handle is in an item: the name of its object.
[[nodiscard]] value read_handle(const std::string& type, std::span<const std::byte> body);
[[nodiscard]] value read_any(std::span<const std::byte> body, reading_budget& budget);

/// A value that is written in one of the ways that an item can be; `element_bytes` of a sequence, 0: not known.
[[nodiscard]] value read_body(const value_node& node, detail::item_kind kind, std::size_t element_bytes,
                              std::span<const std::byte> body, reading_budget& budget);

inline constexpr std::uint64_t kEdge = 3;  // of a long list, at each end

}  // namespace weir::inspect
