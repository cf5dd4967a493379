// SPDX-License-Identifier: BSL-1.0
// The bytes of a value: what decodes also encodes, to bytes that decode to the same; all else is a weir::error.
#include <array>
#include <bitset>
#include <chrono>
#include <complex>
#include <cstdlib>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "fuzz/input.hpp"
#include "weir/any.hpp"
#include "weir/channel.hpp"
#include "weir/codec.hpp"
#include "weir/error.hpp"

namespace weir::fuzz {
namespace {

using detail::codec;
using detail::encoder;

struct point {
  double x = 0;
  double y = 0;
};
enum class colour : std::uint8_t { red, green };

struct person {
  std::string name;
  int age = 0;
  std::vector<std::string> tags;
  std::optional<point> home;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(name, age, tags, home);
  }
};
/// Two functions instead of one, and members that are checked by nobody.
struct account {
  std::map<std::string, std::int64_t> entries;
  colour shade = colour::red;
  bool is_open = false;
  template <class Archive>
  void save(Archive& archive) const {
    archive(entries, shade, is_open);
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(entries, shade, is_open);
  }
};
/// As deep as its bytes say.
struct tree {
  std::uint16_t label = 0;
  std::vector<tree> branches;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(label, branches);
  }
};
/// Large in memory for the few bytes that stand for it.
struct sheet {
  std::string title;
  std::array<std::string, 40> lines;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(title, lines);
  }
};
struct nothing {
  template <class Archive>
  void serialize(Archive& /*archive*/) {}
};

template <class T>
std::vector<std::byte> encoded(const T& value) {
  encoder out;
  codec<T>::encode(out, value);
  return out.body();
}

template <class T>
void check(std::span<const std::byte> body) {
  const T value = codec<T>::decode(body);
  const std::vector<std::byte> once = encoded(value);
  const T again = codec<T>::decode(once);
  // The order of what is hashed is its history's.
  constexpr bool kIsHashed = requires { value.bucket_count(); };
  if constexpr (kIsHashed) {
    if (value != again) std::abort();
  } else {
    if (encoded(again) != once) std::abort();
  }
  if constexpr (std::is_default_constructible_v<T>) {
    T into{};
    codec<T>::decode_into(into, once);
  }
}

void check_any(std::span<const std::byte> body) {
  const any value = codec<any>::decode(body);
  static_cast<void>(value.type_name().size());
  if (value.holds<std::string>()) static_cast<void>(value.as<std::string>());
  if (value.holds<tree>()) static_cast<void>(value.as<tree>());
  if (encoded(codec<any>::decode(encoded(value))) != encoded(value)) std::abort();
  static_cast<void>(value.as<std::vector<double>>());
}

/// As the arguments of a call travel.
void check_frames(std::span<const std::byte> body) {
  using arguments = std::tuple<int, std::string, std::vector<point>, person, std::optional<std::string>>;
  const auto values = detail::decode_values<arguments>(body);
  const auto encode = [](const arguments& of) {
    encoder out;
    std::apply([&](const auto&... each) { detail::encode_values(out, each...); }, of);
    return out.body();
  };
  const std::vector<std::byte> once = encode(values);
  if (encode(detail::decode_values<arguments>(once)) != once) std::abort();
}

void check_references(std::span<const std::byte> body) {
  const detail::item_parts parts = detail::split_references(body, true);
  const std::vector<std::string> names(parts.references.begin(), parts.references.end());
  std::vector<std::byte> again(parts.body.begin(), parts.body.end());
  detail::append_references(again, names);
  if (names.empty()) return;
  if (!std::equal(again.begin(), again.end(), body.begin(), body.end())) std::abort();
}

using checker = void (*)(std::span<const std::byte>);
constexpr std::array kCheckers{
    &check_any,
    &check_frames,
    &check_references,
    &check<int>,
    &check<bool>,
    &check<point>,
    &check<std::string>,
    &check<std::u16string>,
    &check<std::vector<double>>,
    &check<std::vector<point>>,
    &check<std::vector<std::string>>,
    &check<std::vector<std::vector<std::vector<std::uint8_t>>>>,
    &check<std::vector<bool>>,
    &check<std::deque<std::string>>,
    &check<std::list<std::pair<int, std::string>>>,
    &check<std::forward_list<std::string>>,
    &check<std::set<std::string>>,
    &check<std::multiset<int>>,
    &check<std::map<std::string, std::vector<int>>>,
    &check<std::multimap<int, std::string>>,
    &check<std::unordered_map<std::string, int>>,
    &check<std::unordered_set<std::string>>,
    &check<std::array<std::string, 3>>,
    &check<std::tuple<int, std::string, std::vector<int>>>,
    &check<std::optional<std::vector<std::string>>>,
    &check<std::variant<std::monostate, int, std::string, std::vector<std::string>>>,
    &check<std::vector<std::variant<bool, std::string>>>,
    &check<std::vector<std::bitset<70>>>,
    &check<std::vector<std::optional<std::complex<double>>>>,
    &check<std::map<int, std::chrono::nanoseconds>>,
    &check<person>,
    &check<account>,
    &check<std::vector<account>>,
    &check<tree>,
    &check<std::vector<sheet>>,
    &check<std::deque<sheet>>,
    &check<std::list<sheet>>,
    &check<std::vector<nothing>>,
    &check<std::vector<std::vector<nothing>>>,
    &check<std::vector<any>>,
    &check<std::map<std::string, any>>,
    &check<channel<int>>,
    &check<std::vector<channel<std::string>>>,
};

void run(input from) {
  const checker chosen = kCheckers[from.byte() % kCheckers.size()];
  try {
    chosen(from.rest());
  } catch (const weir::error&) {
    // Refused, in words.
  }
}

}  // namespace
}  // namespace weir::fuzz

// The name is libFuzzer's.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::fuzz::run({data, size});
  return 0;
}
