// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::detail {

/// How the bytes of an item are to be read. Stored in the segment, so that the inspector can show values.
enum class item_kind : std::uint32_t {
  bytes = 1,     ///< a trivially copyable object, as it lies in memory
  sequence = 2,  ///< elements of a trivially copyable type, one after the other, nothing before or after
  handle = 3,    ///< a weir handle: the name of a shared object
  any = 4,       ///< type name, then the value in its own kind (see any.hpp)
  archive = 5,   ///< made by the serialisation library
};

/// What is known of an item's type; two processes agree on a channel only if name (and so hash) and kind are the same.
struct item_type {
  std::string_view name;   ///< as in the source, `std::vector<double>`; the same from every compiler
  std::uint64_t hash = 0;  ///< of the name; see type_name.hpp
  item_kind kind = item_kind::bytes;
  std::uint32_t fixed_bytes = 0;    ///< size of every item; 0: items differ in size
  std::uint32_t element_bytes = 0;  ///< size of an element of a sequence; 0 for other kinds
  std::string_view element_name;    ///< type of an element of a sequence, "double"; empty for other kinds
};

}  // namespace weir::detail
