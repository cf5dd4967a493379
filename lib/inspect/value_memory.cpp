// SPDX-License-Identifier: BSL-1.0
// Values as they lie in memory: those of trivially copyable types.
#include <fmt/core.h>

#include <algorithm>

#include "inspect/value_node.hpp"

namespace weir::inspect {
namespace {

using bytes_view = std::span<const std::byte>;

value read_row(const value_node& node, bytes_view bytes, reading_budget& budget) {
  const value_node& element = node.inside.front();
  const std::size_t each = bytes.size() / node.count;
  value out = read_elements(element, each, bytes, budget);
  if (node.count > 2 * kEdge) return out;
  out.is = value_kind::tuple;
  out.numbers.reset();
  return out;
}

value read_variant(const value_node& node, bytes_view bytes, reading_budget& budget) {
  std::uint64_t most = 1;
  std::uint64_t alignment = 1;
  for (const value_node& each : node.inside) {
    most = std::max(most, each.layout->bytes);
    alignment = std::max(alignment, each.layout->alignment);
  }
  const std::uint64_t at = (most + alignment - 1) / alignment * alignment;  // of the index
  const auto index = std::to_integer<std::size_t>(bytes[at]);
  if (index >= node.inside.size()) {
    if (index == 0xff) return value::of_kind(value_kind::nothing);  // valueless by exception
    return value::of_kind(value_kind::corrupt,
                          fmt::format("a variant with the alternative {}, of {}", index, node.inside.size()));
  }
  value out = value::of_kind(value_kind::variant);
  out.count = index;
  out.type = node.inside[index].type;
  out.parts.push_back(read_memory(node.inside[index], bytes.first(node.inside[index].layout->bytes), budget));
  return out;
}

value read_known(const value_node& node, bytes_view bytes, reading_budget& budget) {
  switch (node.shape) {
    case node_shape::number: return read_scalar(node.number, bytes);
    case node_shape::nothing: return value::of_kind(value_kind::nothing);
    case node_shape::row: return read_row(node, bytes, budget);
    case node_shape::variant: return read_variant(node, bytes, budget);
    case node_shape::optional: {
      const std::uint64_t inside = node.inside.front().layout->bytes;
      const auto has = std::to_integer<int>(bytes[inside]);
      if (has > 1) return value::of_kind(value_kind::corrupt, fmt::format("an optional whose bool is {}", has));
      return has == 0 ? value::of_kind(value_kind::nothing)
                      : read_memory(node.inside.front(), bytes.first(inside), budget);
    }
    case node_shape::duration: {
      value out = value::of_kind(value_kind::duration, node.unit);
      out.parts.push_back(read_memory(node.inside.front(), bytes, budget));
      return out;
    }
    case node_shape::bits:
      return bits_text(node.count,
                       [&](std::uint64_t i) { return (std::to_integer<unsigned>(bytes[i / 8]) >> i % 8 & 1U) != 0; });
    default: return read_unknown(node.type, bytes);
  }
}

}  // namespace

value read_memory(const value_node& node, bytes_view bytes, reading_budget& budget) {
  if (--budget.values < 0 || budget.depth == 0) return value::of_kind(value_kind::unread);
  --budget.depth;
  value out;
  if (node.layout && node.layout->bytes == bytes.size()) {
    out = read_known(node, bytes, budget);
  } else if (node.shape == node_shape::row && node.count != 0 && !node.layout && bytes.size() >= node.count &&
             bytes.size() % node.count == 0) {
    out = read_row(node, bytes, budget);  // of a user's type
  } else {
    out = read_unknown(node.type, bytes);
  }
  ++budget.depth;
  return out;
}

value read_elements(const value_node& element, std::size_t each, bytes_view bytes, reading_budget& budget) {
  if (each == 0 || bytes.size() % each != 0) {
    return value::of_kind(value_kind::corrupt, fmt::format("{} bytes are no elements of {}", bytes.size(), each));
  }
  value out = value::of_kind(value_kind::list);
  out.count = bytes.size() / each;
  const bool is_long = out.count > 2 * kEdge;
  const auto read_some = [&](std::uint64_t from, std::uint64_t to, std::vector<value>& into) {
    for (std::uint64_t i = from; i < to; ++i)
      into.push_back(read_memory(element, bytes.subspan(i * each, each), budget));
  };
  read_some(0, is_long ? kEdge : out.count, out.parts);
  if (is_long) read_some(out.count - kEdge, out.count, out.last);
  if (element.number.is_number() && element.number.bytes == each) out.numbers = statistics_of(element.number, bytes);
  return out;
}

}  // namespace weir::inspect
