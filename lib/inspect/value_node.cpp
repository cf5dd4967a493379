// SPDX-License-Identifier: BSL-1.0
#include "inspect/value_node.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace weir::inspect {
namespace {

/// "ns", "ms", …: of `std::ratio<1, 1000>`; of no argument, seconds.
std::string unit_of(const type_tree& duration) {
  if (duration.arguments.size() < 2) return "s";
  const type_tree& ratio = duration.arguments[1];
  if (!ratio.is_std("ratio") || ratio.arguments.empty()) return ratio.whole;
  const auto number = [&](std::size_t i) {
    return i < ratio.arguments.size() ? ratio.arguments[i].number.value_or(0) : 1;
  };
  struct named_unit {
    std::uint64_t numerator;
    std::uint64_t denominator;
    const char* name;
  };
  constexpr std::array kUnits{named_unit{1, 1'000'000'000, "ns"}, named_unit{1, 1'000'000, "us"},
                              named_unit{1, 1000, "ms"},          named_unit{1, 1, "s"},
                              named_unit{60, 1, "min"},           named_unit{3600, 1, "h"},
                              named_unit{86400, 1, "d"}};
  for (const named_unit& each : kUnits) {
    if (number(0) == each.numerator && number(1) == each.denominator) return each.name;
  }
  return fmt::format("x {}/{} s", number(0), number(1));
}

void make_duration(const type_tree& duration, std::string_view since, value_node& out) {
  if (!duration.is_std("chrono::duration") || duration.arguments.empty()) return;
  if (scalar_of(duration.arguments.front().whole).is == scalar::none) return;
  out.shape = node_shape::duration;
  out.unit = unit_of(duration) + std::string(since);
  out.inside.push_back(value_node::make(duration.arguments.front()));
}

void make_standard(const type_tree& type, value_node& out) {
  const auto take_all = [&](node_shape shape) {
    out.shape = shape;
    for (const type_tree& each : type.arguments) out.inside.push_back(value_node::make(each));
  };
  const auto take = [&](node_shape shape, std::size_t count) {
    out.shape = shape;
    for (std::size_t i = 0; i < count; ++i) out.inside.push_back(value_node::make(type.arguments[i]));
  };
  if (type.is_std("monostate")) {
    out.shape = node_shape::nothing;
  } else if (is_list(type)) {
    take(node_shape::list, 1);
  } else if (is_map(type)) {
    take(node_shape::map, 2);
  } else if (type.is_std("pair") || type.is_std("tuple")) {
    take_all(node_shape::tuple);
  } else if (type.arguments.empty()) {
    return;
  } else if (type.is_std("optional")) {
    take(node_shape::optional, 1);
  } else if (type.is_std("variant")) {
    take_all(node_shape::variant);
  } else if (type.is_std("complex")) {
    take(node_shape::row, 1);
    out.count = 2;
  } else if (type.is_std("array") && type.arguments.size() == 2 && type.arguments[1].number) {
    take(node_shape::row, 1);
    out.count = *type.arguments[1].number;
  } else if (type.is_std("bitset") && type.arguments.front().number && archived_bytes(type)) {
    out.shape = node_shape::bits;
    out.count = *type.arguments.front().number;
  } else if (type.is_std("chrono::duration")) {
    make_duration(type, {}, out);
  } else if (type.is_std("chrono::time_point")) {
    const bool is_system = type.arguments.front().whole == "std::chrono::system_clock";
    make_duration(duration_of(type), is_system ? " since 1970" : " of its clock", out);
  }
}

template <class T>
T load(std::span<const std::byte> bytes) noexcept {
  T out{};
  std::copy_n(bytes.data(), sizeof out, reinterpret_cast<std::byte*>(&out));
  return out;
}

/// f(T{}) with the type that a scalar has; nothing for those that are no numbers.
template <class F>
void with_number_type(scalar_type type, F&& f) {
  const bool is_signed = type.is == scalar::integer;
  if (type.is == scalar::real) {
    if (type.bytes == sizeof(float)) return f(float{});
    if (type.bytes == sizeof(double)) return f(double{});
    return f(0.0L);
  }
  switch (type.bytes) {
    case 1: return is_signed ? f(std::int8_t{}) : f(std::uint8_t{});
    case 2: return is_signed ? f(std::int16_t{}) : f(std::uint16_t{});
    case 4: return is_signed ? f(std::int32_t{}) : f(std::uint32_t{});
    case 8: return is_signed ? f(std::int64_t{}) : f(std::uint64_t{});
    default: return;
  }
}

template <class T>
std::string number_text(T number) {
  return fmt::format("{}", number);  // of a real number the shortest one that is the same
}

value read_wide_integer(std::span<const std::byte> bytes, bool is_signed) {
  __extension__ using wide = unsigned __int128;
  wide number = load<wide>(bytes);
  const bool is_negative = is_signed && number >> 127U != 0;
  if (is_negative) number = ~number + 1;
  std::string digits;
  do {
    digits += static_cast<char>('0' + static_cast<int>(number % 10));
    number /= 10;
  } while (number != 0);
  if (is_negative) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return value::of_kind(value_kind::wide, std::move(digits));
}

/// As UTF-8. What is no character becomes U+FFFD.
void append_character(std::string& out, std::uint32_t c) {
  constexpr std::uint32_t kNone = 0xfffd;
  if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) c = kNone;
  const auto add = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    add(c);
  } else if (c < 0x800) {
    add(0xc0U | c >> 6U), add(0x80U | (c & 0x3fU));
  } else if (c < 0x10000) {
    add(0xe0U | c >> 12U), add(0x80U | (c >> 6U & 0x3fU)), add(0x80U | (c & 0x3fU));
  } else {
    add(0xf0U | c >> 18U), add(0x80U | (c >> 12U & 0x3fU)), add(0x80U | (c >> 6U & 0x3fU)), add(0x80U | (c & 0x3fU));
  }
}

}  // namespace

value_node value_node::make(const type_tree& type) {
  value_node out;
  out.type = type.whole;
  out.number = scalar_of(type.whole);
  if (out.number.is != scalar::none) {
    out.shape = node_shape::number;
  } else if (const std::size_t character = is_string(type); character != 0) {
    out.shape = node_shape::string;
    out.number.bytes = character;
  } else if (type.whole == "weir::any") {
    out.shape = node_shape::any;
  } else if (!handle_in(type).empty()) {
    out.shape = node_shape::handle;
  } else if (type.name.starts_with("std::")) {
    make_standard(type, out);
  }
  out.layout = layout_of(type);
  if (out.shape != node_shape::unknown) out.archived = archived_bytes(type);
  return out;
}

value read_scalar(scalar_type type, std::span<const std::byte> bytes) {
  value out;
  switch (type.is) {
    case scalar::none: break;
    case scalar::boolean:
      if (const auto number = std::to_integer<int>(bytes.front()); number > 1) {
        return value::of_kind(value_kind::corrupt, fmt::format("a bool that is {}", number));
      }
      out.is = value_kind::boolean;
      out.truth = bytes.front() == std::byte{1};
      break;
    case scalar::character:
      out = value::of_kind(value_kind::text, std::string(1, static_cast<char>(bytes.front())));
      out.type = "char";
      break;
    case scalar::unicode:
      out = read_text(bytes, type.bytes);
      out.type = "char";
      break;
    case scalar::integer:
    case scalar::natural:
    case scalar::real:
      if (type.bytes == 16 && type.is != scalar::real) return read_wide_integer(bytes, type.is == scalar::integer);
      with_number_type(type, [&]<class T>(T) {
        const T number = load<T>(bytes);
        out.text = number_text(number);
        if constexpr (std::is_floating_point_v<T>) {
          out.is = value_kind::real;
          out.real = std::strtod(out.text.c_str(), nullptr);
        } else if constexpr (std::is_signed_v<T>) {
          out.is = value_kind::integer;
          out.integer =
              static_cast<std::int64_t>(number);  // NOLINT(bugprone-signed-char-misuse): a number, not a character
        } else {
          out.is = value_kind::natural;
          out.natural = number;
        }
      });
      break;
  }
  return out;
}

std::optional<statistics> statistics_of(scalar_type type, std::span<const std::byte> bytes) {
  statistics_maker maker(type);
  maker.add(bytes);
  return maker.result();
}

statistics_maker::statistics_maker(scalar_type type) noexcept : type_(type) {}

void statistics_maker::add(std::span<const std::byte> bytes) {
  if (!type_.is_number()) return;
  with_number_type(type_, [&]<class T>(T) {
    T least = load<T>(least_);
    T greatest = load<T>(greatest_);
    for (; bytes.size() >= sizeof(T); bytes = bytes.subspan(sizeof(T))) {
      const T number = load<T>(bytes);
      if constexpr (std::is_floating_point_v<T>) {
        if (number != number) {
          ++not_numbers_;
          continue;
        }
      }
      if (numbers_ == 0 || number < least) least = number;
      if (numbers_ == 0 || number > greatest) greatest = number;
      sum_ += static_cast<long double>(number);
      ++numbers_;
    }
    std::copy_n(reinterpret_cast<const std::byte*>(&least), sizeof least, least_.data());
    std::copy_n(reinterpret_cast<const std::byte*>(&greatest), sizeof greatest, greatest_.data());
  });
}

std::optional<statistics> statistics_maker::result() const {
  if (numbers_ + not_numbers_ == 0) return std::nullopt;
  statistics out;
  out.not_numbers = not_numbers_;
  if (numbers_ == 0) return out;
  with_number_type(type_, [&]<class T>(T) {
    out.least = number_text(load<T>(least_));
    out.greatest = number_text(load<T>(greatest_));
  });
  out.mean = static_cast<double>(sum_ / static_cast<long double>(numbers_));
  return out;
}

value read_text(std::span<const std::byte> bytes, std::size_t character_bytes) {
  constexpr std::size_t kMost = 1024;  // characters that are shown
  if (bytes.size() % character_bytes != 0) {
    return value::of_kind(value_kind::corrupt,
                          fmt::format("{} bytes are no characters of {}", bytes.size(), character_bytes));
  }
  value out = value::of_kind(value_kind::text);
  const std::size_t count = bytes.size() / character_bytes;
  if (count > kMost) out.count = count;
  const std::size_t shown = std::min(count, kMost);
  if (character_bytes == 1) {
    out.text.assign(reinterpret_cast<const char*>(bytes.data()), shown);
    while (shown < count && !out.text.empty() && (static_cast<unsigned char>(out.text.back()) & 0x80U) != 0) {
      out.text.pop_back();  // do not cut a character of several bytes in two
    }
    return out;
  }
  for (std::size_t i = 0; i < shown; ++i) {
    const auto unit = [&](std::size_t at) {
      const auto one = bytes.subspan(at * character_bytes, character_bytes);
      return character_bytes == 2 ? std::uint32_t{load<std::uint16_t>(one)} : load<std::uint32_t>(one);
    };
    std::uint32_t c = unit(i);
    const bool begins_pair = character_bytes == 2 && c >= 0xd800 && c < 0xdc00 && i + 1 < count;
    if (begins_pair && unit(i + 1) >= 0xdc00 && unit(i + 1) < 0xe000) {
      c = 0x10000U + ((c - 0xd800U) << 10U) + (unit(++i) - 0xdc00U);
    }
    append_character(out.text, c);
  }
  return out;
}

value read_unknown(const std::string& type, std::span<const std::byte> bytes) {
  constexpr std::size_t kMost = 32;
  value out = value::of_kind(value_kind::bytes);
  out.type = type;
  out.count = bytes.size();
  for (const std::byte byte : bytes.first(std::min(bytes.size(), kMost))) {
    out.text += fmt::format("{}{:02x}", out.text.empty() ? "" : " ", std::to_integer<unsigned>(byte));
  }
  if (bytes.size() > kMost) out.text += " …";
  // An enumeration, perhaps.
  if (const std::size_t n = bytes.size(); n == 1 || n == 2 || n == 4 || n == 8) {
    out.parts.push_back(read_scalar({scalar::integer, n}, bytes));
  }
  return out;
}

}  // namespace weir::inspect
