// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::inspect {

/// A type's name, as lib/codec/type_name.cpp spells it, taken apart: `std::map<int, std::string>` has the template
/// `std::map` and two arguments. What is no such name (a class that lies in an instance of a template, a function type)
/// has no arguments and stands for itself.
struct type_tree {
  std::string whole;                    ///< all of it
  std::string name;                     ///< without arguments
  std::vector<type_tree> arguments;     ///< types and numbers
  std::optional<std::uint64_t> number;  ///< of an argument that is one

  /// Of any name, whatever its characters; too long and too deep ones stand for themselves. Never throws but bad_alloc.
  [[nodiscard]] static type_tree parse(std::string_view text);

  /// `name` is `std::` and `word`.
  [[nodiscard]] bool is_std(std::string_view word) const noexcept;
};

/// What a builtin type, or one that is like it, holds.
enum class scalar : std::uint8_t {
  none,
  boolean,
  character,  ///< char
  unicode,    ///< char8_t, char16_t, char32_t, wchar_t: a code unit
  integer,
  natural,
  real,
};
struct scalar_type {
  scalar is = scalar::none;
  std::size_t bytes = 0;

  [[nodiscard]] bool is_number() const noexcept {
    return is == scalar::integer || is == scalar::natural || is == scalar::real;
  }
};
/// `is` is none for other types. On this machine: what lies in shared memory was written here.
[[nodiscard]] scalar_type scalar_of(std::string_view name) noexcept;

/// Size and alignment in memory.
struct layout_in_memory {
  std::uint64_t bytes = 0;
  std::uint64_t alignment = 1;
};
/// Of those types that lie in memory as this reader knows, GCC's library having laid them out; nothing for users' own.
[[nodiscard]] std::optional<layout_in_memory> layout_of(const type_tree& type);

/// Bytes that each value takes in an archive; nothing if they differ, or are not known.
[[nodiscard]] std::optional<std::uint64_t> archived_bytes(const type_tree& type);

/// Which of the standard library's containers a type is: those of elements one after the other, and those of pairs.
[[nodiscard]] bool is_list(const type_tree& type) noexcept;
[[nodiscard]] bool is_map(const type_tree& type) noexcept;
/// std::basic_string of some character, or std::string; the size of its characters, 0: it is none.
[[nodiscard]] std::size_t is_string(const type_tree& type) noexcept;
/// weir's handles: "channel", "array", "distributed_array", "future", "worker"; empty: it is none.
[[nodiscard]] std::string_view handle_in(const type_tree& type) noexcept;
/// A handle, or something that can hold one by its type (weir::any says only when it is read).
[[nodiscard]] bool holds_handles(const type_tree& type) noexcept;
/// The type of the durations of a time_point; of the library's clocks if it does not say one.
[[nodiscard]] type_tree duration_of(const type_tree& time_point);

}  // namespace weir::inspect
