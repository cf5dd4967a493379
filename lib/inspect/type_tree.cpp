// SPDX-License-Identifier: BSL-1.0
#include "inspect/type_tree.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace weir::inspect {
namespace {

constexpr std::size_t kLongestName = 4096;
constexpr int kDeepest = 40;
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 46U;  // of any value

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// Where the bracket that is open at `from` is closed; npos: nowhere.
std::size_t end_of_arguments(std::string_view text, std::size_t from) noexcept {
  int depth = 0;
  for (std::size_t at = from; at < text.size(); ++at) {
    if (text[at] == '<') ++depth;
    if (text[at] == '>' && --depth == 0) return at;
  }
  return std::string_view::npos;
}

type_tree parse_type(std::string_view text, int deepest) {
  text = trimmed(text);
  if (text.starts_with("const ")) text = trimmed(text.substr(6));
  type_tree out;
  out.whole = text;
  out.name = text;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size()) out.number = number;
  const std::size_t open = text.find('<');
  // Functions, lambdas and what lies in an instance of a template are taken as they are.
  if (deepest == 0 || open == std::string_view::npos || text.find('{') < open) return out;
  if (end_of_arguments(text, open) != text.size() - 1) return out;
  const std::string_view inside = text.substr(open + 1, text.size() - open - 2);
  std::vector<type_tree> arguments;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t at = 0; at <= inside.size(); ++at) {
    if (at == inside.size() || (inside[at] == ',' && depth == 0)) {
      const std::string_view argument = trimmed(inside.substr(begin, at - begin));
      if (!argument.empty()) arguments.push_back(parse_type(argument, deepest - 1));
      begin = at + 1;
    } else if (inside[at] == '<' || inside[at] == '(') {
      ++depth;
    } else if (inside[at] == '>' || inside[at] == ')') {
      --depth;
    }
  }
  out.name = text.substr(0, open);
  out.arguments = std::move(arguments);
  return out;
}

struct named_scalar {
  std::string_view name;
  scalar_type type;
};
constexpr std::array kScalars{
    named_scalar{"bool", {scalar::boolean, 1}},
    named_scalar{"char", {scalar::character, 1}},
    named_scalar{"signed char", {scalar::integer, 1}},
    named_scalar{"unsigned char", {scalar::natural, 1}},
    named_scalar{"std::byte", {scalar::natural, 1}},
    named_scalar{"char8_t", {scalar::unicode, 1}},
    named_scalar{"char16_t", {scalar::unicode, 2}},
    named_scalar{"char32_t", {scalar::unicode, 4}},
    named_scalar{"wchar_t", {scalar::unicode, sizeof(wchar_t)}},
    named_scalar{"short", {scalar::integer, sizeof(short)}},
    named_scalar{"unsigned short", {scalar::natural, sizeof(short)}},
    named_scalar{"int", {scalar::integer, sizeof(int)}},
    named_scalar{"unsigned int", {scalar::natural, sizeof(int)}},
    named_scalar{"long", {scalar::integer, sizeof(long)}},
    named_scalar{"unsigned long", {scalar::natural, sizeof(long)}},
    named_scalar{"long long", {scalar::integer, sizeof(long long)}},
    named_scalar{"unsigned long long", {scalar::natural, sizeof(long long)}},
    named_scalar{"__int128", {scalar::integer, 16}},
    named_scalar{"unsigned __int128", {scalar::natural, 16}},
    named_scalar{"float", {scalar::real, sizeof(float)}},
    named_scalar{"double", {scalar::real, sizeof(double)}},
    named_scalar{"long double", {scalar::real, sizeof(long double)}},
};

constexpr std::array<std::string_view, 8> kLists{"vector", "deque",    "list",          "forward_list",
                                                 "set",    "multiset", "unordered_set", "unordered_multiset"};
constexpr std::array<std::string_view, 4> kMaps{"map", "multimap", "unordered_map", "unordered_multimap"};

bool is_one_of(const type_tree& type, const auto& words) noexcept {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return type.is_std(word); });
}

std::optional<layout_in_memory> times(std::optional<layout_in_memory> one, std::uint64_t count) noexcept {
  if (!one || count == 0 || count > kMostBytes / one->bytes) return std::nullopt;
  return layout_in_memory{one->bytes * count, one->alignment};
}
layout_in_memory padded(std::uint64_t bytes, std::uint64_t alignment) noexcept {
  return {(bytes + alignment - 1) / alignment * alignment, alignment};
}

}  // namespace

type_tree type_tree::parse(std::string_view text) {
  if (text.size() <= kLongestName) return parse_type(text, kDeepest);
  type_tree out;
  out.whole = text.substr(0, kLongestName);
  out.name = out.whole;
  return out;
}

bool type_tree::is_std(std::string_view word) const noexcept {
  return name.starts_with("std::") && std::string_view(name).substr(5) == word;
}

scalar_type scalar_of(std::string_view name) noexcept {
  const auto* const found =
      std::find_if(kScalars.begin(), kScalars.end(), [&](const named_scalar& each) { return each.name == name; });
  return found == kScalars.end() ? scalar_type{} : found->type;
}

bool is_list(const type_tree& type) noexcept { return !type.arguments.empty() && is_one_of(type, kLists); }
bool is_map(const type_tree& type) noexcept { return type.arguments.size() >= 2 && is_one_of(type, kMaps); }

std::size_t is_string(const type_tree& type) noexcept {
  if (type.whole == "std::string") return 1;
  if (!type.is_std("basic_string") || type.arguments.empty()) return 0;
  const scalar_type character = scalar_of(type.arguments.front().whole);
  return character.is == scalar::character || character.is == scalar::unicode ? character.bytes : 0;
}

std::string_view handle_in(const type_tree& type) noexcept {
  for (const std::string_view word : {"channel", "array", "distributed_array", "future", "worker"}) {
    if (type.name.size() == 6 + word.size() && type.name.starts_with("weir::") && type.name.ends_with(word))
      return word;
  }
  return {};
}

bool holds_handles(const type_tree& type) noexcept {
  return !handle_in(type).empty() || std::any_of(type.arguments.begin(), type.arguments.end(),
                                                 [](const type_tree& each) { return holds_handles(each); });
}

type_tree duration_of(const type_tree& time_point) {
  if (time_point.arguments.size() >= 2) return time_point.arguments[1];
  return type_tree::parse("std::chrono::duration<long, std::ratio<1, 1000000000>>");
}

std::optional<layout_in_memory> layout_of(const type_tree& type) {
  if (const scalar_type plain = scalar_of(type.whole); plain.is != scalar::none) {
    return layout_in_memory{plain.bytes, plain.bytes};
  }
  if (type.is_std("monostate")) return layout_in_memory{1, 1};
  if (type.arguments.empty()) return std::nullopt;
  const type_tree& first = type.arguments.front();
  if (type.is_std("complex")) return times(layout_of(first), 2);
  if (type.is_std("chrono::duration")) return layout_of(first);
  if (type.is_std("chrono::time_point")) {
    const type_tree duration = duration_of(type);
    return duration.is_std("chrono::duration") && !duration.arguments.empty() ? layout_of(duration.arguments.front())
                                                                              : std::nullopt;
  }
  if (type.is_std("bitset")) {
    if (!first.number || *first.number == 0 || *first.number > kMostBytes) return std::nullopt;
    return padded((*first.number + 63) / 64 * 8, 8);
  }
  if (type.is_std("array")) {
    if (type.arguments.size() != 2 || !type.arguments[1].number) return std::nullopt;
    return times(layout_of(first), *type.arguments[1].number);
  }
  if (type.is_std("optional")) {
    const auto inside = layout_of(first);
    if (!inside) return std::nullopt;
    return padded(inside->bytes + 1, inside->alignment);
  }
  if (type.is_std("variant")) {
    layout_in_memory all{1, 1};
    for (const type_tree& each : type.arguments) {
      const auto one = layout_of(each);
      if (!one) return std::nullopt;
      all = {std::max(all.bytes, one->bytes), std::max(all.alignment, one->alignment)};
    }
    constexpr std::size_t kMostForOneByte = 254;
    if (type.arguments.size() > kMostForOneByte) return std::nullopt;
    return padded(padded(all.bytes, all.alignment).bytes + 1, all.alignment);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> archived_bytes(const type_tree& type) {
  if (const scalar_type plain = scalar_of(type.whole); plain.is != scalar::none) return plain.bytes;
  if (type.is_std("monostate")) return 0;
  const auto limited = [](std::optional<std::uint64_t> one, std::uint64_t count) -> std::optional<std::uint64_t> {
    if (count == 0) return 0;
    if (!one || (*one != 0 && count > kMostBytes / *one)) return std::nullopt;
    return *one * count;
  };
  if (type.is_std("pair") || type.is_std("tuple")) {
    std::uint64_t sum = 0;
    for (const type_tree& each : type.arguments) {
      const auto one = archived_bytes(each);
      if (!one || *one > kMostBytes - sum) return std::nullopt;
      sum += *one;
    }
    return sum;
  }
  if (type.arguments.empty()) return std::nullopt;
  const type_tree& first = type.arguments.front();
  if (type.is_std("complex")) return limited(archived_bytes(first), 2);
  if (type.is_std("chrono::duration")) return archived_bytes(first);
  if (type.is_std("chrono::time_point")) {
    const type_tree duration = duration_of(type);
    return duration.is_std("chrono::duration") ? archived_bytes(duration) : std::nullopt;
  }
  if (type.is_std("array") && type.arguments.size() == 2 && type.arguments[1].number) {
    return limited(archived_bytes(first), *type.arguments[1].number);
  }
  if (type.is_std("bitset") && first.number && *first.number <= kMostBytes) return 1 + (*first.number + 7) / 8;
  return std::nullopt;
}

}  // namespace weir::inspect
