// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::inspect {

/// What a value is.
enum class value_kind : std::uint8_t {
  nothing,  ///< an empty optional, monostate, an empty any
  boolean,
  integer,
  natural,
  real,
  wide,      ///< a whole number of 128 bits: its digits in `text`
  text,      ///< a string, or a character
  list,      ///< a container of values; of a large one the first and last
  map,       ///< the same of pairs, each a tuple
  tuple,     ///< a fixed number of values: pair, tuple, array, complex
  variant,   ///< the alternative `count`, which is parts[0]
  any,       ///< a value of `type`, which is parts[0]
  handle,    ///< refers to the object `text`; `type` is its own
  duration,  ///< parts[0] of the unit `text`
  bytes,     ///< of a type that is not known here: so many, the first ones in `text` as hexadecimal numbers
  unread,    ///< cannot be told apart from what comes before it, or is too much to be shown
  corrupt,   ///< not what weir writes; `text` says why
};

/// Of the numbers in a list.
struct statistics {
  std::string least;  ///< of those that are numbers; empty: none is
  std::string greatest;
  double mean = 0;
  std::uint64_t not_numbers = 0;  ///< NaN
};

/// A decoded value: enough of it to be shown, whatever its size.
struct value {
  value_kind is = value_kind::unread;
  bool truth = false;         ///< boolean
  std::int64_t integer = 0;   ///< integer, if it fits; as all numbers also as `text`
  std::uint64_t natural = 0;  ///< likewise
  double real = 0;            ///< the shortest decimal number that is the same in the value's own type
  std::string text;           ///< UTF-8 as far as the value is; may hold any bytes
  std::string type;
  std::uint64_t count = 0;   ///< elements, or bytes, or characters of a text that was cut
  std::vector<value> parts;  ///< the first ones
  std::vector<value> last;   ///< of a list or map with more than are in parts
  std::optional<statistics> numbers;

  [[nodiscard]] static value of_kind(value_kind kind, std::string text = {});
};

/// In the words of a C++ programmer: `[1, 2, 3, …, 9] (10: 1 to 9, mean 4.5)`, `"text"`, `{"key": 1}`, `point {01 02}`.
/// One line; other bytes than printable ASCII and UTF-8 in strings are escaped as in C++.
[[nodiscard]] std::string text_of(const value& shown);

/// What is corrupt in it, in words; empty: nothing.
[[nodiscard]] std::string damage_in(const value& shown);

/// `"text"`, its quotes and control characters escaped.
[[nodiscard]] std::string in_quotes(std::string_view text, char quote = '"');

}  // namespace weir::inspect
