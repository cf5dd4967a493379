// SPDX-License-Identifier: BSL-1.0
// Values as cereal writes them (include/weir/detail/cereal.hpp), and handles and values of any type among them.
#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "codec/any_layout.hpp"
#include "inspect/value_node.hpp"
#include "weir/detail/item_type.hpp"

namespace weir::inspect {
namespace {

using bytes_view = std::span<const std::byte>;

/// Goes through an archive. After the first thing that cannot be, or that cannot be told apart from what follows it, it
/// stands still.
class archive_reader {
 public:
  archive_reader(bytes_view bytes, reading_budget& budget) : rest_(bytes), budget_(budget) {}

  [[nodiscard]] bool stands() const noexcept { return stands_; }
  [[nodiscard]] std::size_t left() const noexcept { return rest_.size(); }

  value read(const value_node& node) {
    if (stands_) return value::of_kind(value_kind::unread);
    if (--budget_.values < 0 || budget_.depth == 0) {
      value out = value::of_kind(value_kind::unread);
      if (!skip(node) && !why_.empty()) out = value::of_kind(value_kind::corrupt, why_);
      return out;
    }
    --budget_.depth;
    value out = read_shape(node);
    ++budget_.depth;
    return out;
  }

 private:
  value corrupt(std::string why) {
    stands_ = true;
    return value::of_kind(value_kind::corrupt, std::move(why));
  }
  value corrupt() { return corrupt(why_); }

  /// False: there are fewer; why_ says so.
  bool take(std::uint64_t count, bytes_view& out) {
    if (count > rest_.size()) {
      why_ = fmt::format("{} bytes are wanted where {} are left", count, rest_.size());
      stands_ = true;
      return false;
    }
    out = rest_.first(count);
    rest_ = rest_.subspan(count);
    return true;
  }
  template <class Number>
  bool take_number(Number& out) {
    bytes_view bytes;
    if (!take(sizeof out, bytes)) return false;
    std::memcpy(&out, bytes.data(), sizeof out);
    return true;
  }
  bool take_times(std::uint64_t count, std::uint64_t each, bytes_view& out) {
    constexpr std::uint64_t kNone = ~std::uint64_t{0};
    return take(each != 0 && count > kNone / each ? kNone : count * each, out);
  }

  value read_shape(const value_node& node) {
    switch (node.shape) {
      case node_shape::unknown: {
        value out = read_unknown(node.type, rest_);
        out.parts.clear();  // its length is not known
        stands_ = true;
        return out;
      }
      case node_shape::number: {
        bytes_view bytes;
        if (!take(node.number.bytes, bytes)) return corrupt();
        value out = read_scalar(node.number, bytes);
        if (out.is == value_kind::corrupt) stands_ = true;
        return out;
      }
      case node_shape::string: {
        std::uint64_t count = 0;
        bytes_view bytes;
        if (!take_number(count) || !take_times(count, node.number.bytes, bytes)) return corrupt();
        return read_text(bytes, node.number.bytes);
      }
      case node_shape::list:
      case node_shape::map: {
        std::uint64_t count = 0;
        if (!take_number(count)) return corrupt();
        return node.shape == node_shape::map ? read_map(node, count) : read_list(node.inside.front(), count);
      }
      case node_shape::row: {
        value out = read_list(node.inside.front(), node.count);
        if (out.is == value_kind::list && node.count <= 2 * kEdge) {
          out.is = value_kind::tuple;
          out.numbers.reset();
        }
        return out;
      }
      case node_shape::tuple: {
        value out = value::of_kind(value_kind::tuple);
        out.count = node.inside.size();
        for (const value_node& each : node.inside) {
          out.parts.push_back(read(each));
          if (stands_) break;
        }
        return out;
      }
      case node_shape::optional: {
        bool has = false;
        if (!take_presence(has)) return corrupt();
        return has ? read(node.inside.front()) : value::of_kind(value_kind::nothing);
      }
      case node_shape::variant: {
        std::size_t index = 0;
        if (!take_alternative(node, index)) return corrupt();
        value out = value::of_kind(value_kind::variant);
        out.count = index;
        out.type = node.inside[index].type;
        out.parts.push_back(read(node.inside[index]));
        return out;
      }
      case node_shape::nothing: return value::of_kind(value_kind::nothing);
      case node_shape::duration: {
        value out = value::of_kind(value_kind::duration, node.unit);
        out.parts.push_back(read(node.inside.front()));
        return out;
      }
      case node_shape::bits: {
        bytes_view bytes;
        if (!take(*node.archived, bytes)) return corrupt();
        constexpr std::byte kAsBits{3};
        if (bytes.front() != kAsBits) return corrupt("a bitset that is written in another way");
        return bits_text(node.count, [&](std::uint64_t i) {
          return (std::to_integer<unsigned>(bytes[1 + i / 8]) << i % 8 & 0x80U) != 0;
        });
      }
      case node_shape::handle:
      case node_shape::any: {
        std::uint64_t length = 0;
        bytes_view bytes;
        if (!take_number(length) || !take(length, bytes)) return corrupt();
        return node.shape == node_shape::any ? read_any(bytes, budget_) : read_handle(node.type, bytes);
      }
    }
    return value::of_kind(value_kind::unread);
  }

  bool take_presence(bool& has) {
    std::uint8_t is_nothing = 0;
    if (!take_number(is_nothing)) return false;
    if (is_nothing > 1) return refuse(fmt::format("an optional whose bool is {}", is_nothing));
    has = is_nothing == 0;
    return true;
  }
  bool take_alternative(const value_node& node, std::size_t& index) {
    std::int32_t number = 0;
    if (!take_number(number)) return false;
    if (number < 0 || static_cast<std::size_t>(number) >= node.inside.size()) {
      return refuse(fmt::format("a variant with the alternative {}, of {}", number, node.inside.size()));
    }
    index = static_cast<std::size_t>(number);
    return true;
  }
  bool refuse(std::string why) {
    why_ = std::move(why);
    stands_ = true;
    return false;
  }

  value read_list(const value_node& element, std::uint64_t count) {
    if (element.number.is_number() || element.number.is == scalar::boolean) {
      bytes_view bytes;
      if (!take_times(count, element.number.bytes, bytes)) return corrupt();
      return read_elements(element, element.number.bytes, bytes, budget_);
    }
    return read_some(
        count, [&] { return read(element); }, [&](std::uint64_t left) { return skip(element, left); });
  }

  value read_map(const value_node& node, std::uint64_t count) {
    const auto read_pair = [&] {
      value pair = value::of_kind(value_kind::tuple);
      pair.count = 2;
      pair.parts.push_back(read(node.inside[0]));
      if (!stands_) pair.parts.push_back(read(node.inside[1]));
      return pair;
    };
    const auto skip_pairs = [&](std::uint64_t left) {
      const auto& key = node.inside[0];
      const auto& mapped = node.inside[1];
      bytes_view bytes;
      if (key.archived && mapped.archived) return take_times(left, *key.archived + *mapped.archived, bytes);
      for (; left > 0; --left) {
        if (!skip(key) || !skip(mapped)) return false;
      }
      return true;
    };
    value out = read_some(count, read_pair, skip_pairs);
    if (out.is == value_kind::list) out.is = value_kind::map;
    return out;
  }

  /// The first and last ones of `count` values, or all if they are few.
  template <class Read, class Skip>
  value read_some(std::uint64_t count, const Read& read_one, const Skip& skip_some) {
    value out = value::of_kind(value_kind::list);
    out.count = count;
    const bool is_long = count > 2 * kEdge;
    for (std::uint64_t i = 0; i < (is_long ? kEdge : count) && !stands_; ++i) out.parts.push_back(read_one());
    if (!is_long || stands_) return out;
    if (!skip_some(count - 2 * kEdge)) {
      out.last.push_back(why_.empty() ? value::of_kind(value_kind::unread) : corrupt());
      return out;
    }
    for (std::uint64_t i = 0; i < kEdge && !stands_; ++i) out.last.push_back(read_one());
    return out;
  }

  /// False: it stands.
  bool skip(const value_node& node, std::uint64_t count) {
    bytes_view bytes;
    if (node.archived) return take_times(count, *node.archived, bytes);
    for (; count > 0; --count) {  // each takes a byte at least
      if (!skip(node)) return false;
    }
    return true;
  }

  bool skip(const value_node& node) {
    bytes_view bytes;
    if (stands_) return false;
    if (node.archived) return take(*node.archived, bytes);
    switch (node.shape) {
      case node_shape::string: {
        std::uint64_t count = 0;
        return take_number(count) && take_times(count, node.number.bytes, bytes);
      }
      case node_shape::handle:
      case node_shape::any: {
        std::uint64_t length = 0;
        return take_number(length) && take(length, bytes);
      }
      case node_shape::list: {
        std::uint64_t count = 0;
        return take_number(count) && skip(node.inside.front(), count);
      }
      case node_shape::map: {
        std::uint64_t count = 0;
        if (!take_number(count)) return false;
        const auto& key = node.inside[0];
        const auto& mapped = node.inside[1];
        if (key.archived && mapped.archived) return take_times(count, *key.archived + *mapped.archived, bytes);
        for (; count > 0; --count) {
          if (!skip(key) || !skip(mapped)) return false;
        }
        return true;
      }
      case node_shape::row: return skip(node.inside.front(), node.count);
      case node_shape::tuple:
        return std::all_of(node.inside.begin(), node.inside.end(), [&](const value_node& each) { return skip(each); });
      case node_shape::optional: {
        bool has = false;
        return take_presence(has) && (!has || skip(node.inside.front()));
      }
      case node_shape::variant: {
        std::size_t index = 0;
        return take_alternative(node, index) && skip(node.inside[index]);
      }
      default: stands_ = true; return false;  // a user's own type
    }
  }

  bytes_view rest_;
  reading_budget& budget_;
  bool stands_ = false;
  std::string why_;  // it stands; empty: because of a type that is not known
};

}  // namespace

value read_archive(const value_node& node, bytes_view bytes, reading_budget& budget) {
  archive_reader reader(bytes, budget);
  value out = reader.read(node);
  if (reader.stands() || reader.left() == 0) return out;
  return value::of_kind(value_kind::corrupt, fmt::format("{} bytes are left over", reader.left()));
}

value read_handle(const std::string& type, bytes_view body) {
  constexpr std::size_t kLongest = 65536;
  if (body.empty() || body.size() > kLongest) {
    return value::of_kind(value_kind::corrupt, fmt::format("a handle of {} bytes", body.size()));
  }
  value out = value::of_kind(value_kind::handle);
  out.type = type;
  // `/array/NAME`, and of a distributed array `?` and how it is divided; channels are their names.
  std::string_view name(reinterpret_cast<const char*>(body.data()), body.size());
  constexpr std::string_view kArray = "/array/";
  if (name.starts_with(kArray)) name = name.substr(kArray.size(), name.find('?') - kArray.size());
  out.text = name.substr(0, 256);
  return out;
}

value read_any(bytes_view body, reading_budget& budget) {
  const auto corrupt = [](std::string why) { return value::of_kind(value_kind::corrupt, std::move(why)); };
  detail::any_header header{};
  if (body.size() < sizeof header) return corrupt(fmt::format("an any of {} bytes", body.size()));
  std::memcpy(&header, body.data(), sizeof header);
  if (header.type_hash == 0) return value::of_kind(value_kind::nothing);
  const std::uint64_t names_end = std::uint64_t{sizeof header} + header.type_bytes + header.element_name_bytes;
  if (names_end > header.value_offset || header.value_offset > body.size()) {
    return corrupt("an any whose type's name is too long");
  }
  const bytes_view rest = body.subspan(header.value_offset);
  if (header.value_bytes > rest.size() || header.reference_bytes != rest.size() - header.value_bytes) {
    return corrupt(fmt::format("an any whose value is said to have {} bytes of {}", header.value_bytes, rest.size()));
  }
  if (budget.depth == 0 || budget.values <= 0) return value::of_kind(value_kind::unread);
  value out = value::of_kind(value_kind::any);
  out.type.assign(reinterpret_cast<const char*>(body.data()) + sizeof header, header.type_bytes);
  --budget.depth;
  const value_node node = value_node::make(type_tree::parse(out.type));
  out.parts.push_back(read_body(node, static_cast<detail::item_kind>(header.kind), header.element_bytes,
                                rest.first(header.value_bytes), budget));
  ++budget.depth;
  constexpr std::size_t kMostShown = 4096;
  if (out.type.size() > kMostShown) out.type.resize(kMostShown);
  return out;
}

}  // namespace weir::inspect
