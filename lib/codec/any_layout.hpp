// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace weir::detail {

// A value of type weir::any in an item (item_kind::any), layout 1. Host byte order. Enough to print the value without
// knowing its type: what item_type says of a channel's items, this says of one value. Written once, whole; never changed.
// byte  field               meaning
//    0  type_hash           FNV-1a of the type name; 0: nothing is inside, and all the rest is 0
//    8  value_bytes         length of the value
//   16  value_offset        where it begins, from byte 0: a multiple of 16
//   20  kind                item_kind of the value
//   24  fixed_bytes         of item_type
//   28  element_bytes       of item_type
//   32  type_bytes          length of the type name
//   36  element_name_bytes  length of the elements' type name, 0 if it is no sequence
//   40  reference_bytes     length of the list of references (see payload.hpp) that ends the value; 0: no handles in it
//   44  zero
//   48  type name, then at once the elements' type name, then zeros up to value_offset, the value, the list of references
// value_offset + value_bytes + reference_bytes is the length of the whole. The references are pinned once more by the
// item that the any is in: the pins of this list are taken by whoever decodes it.
struct any_header {
  std::uint64_t type_hash;
  std::uint64_t value_bytes;
  std::uint32_t value_offset;
  std::uint32_t kind;
  std::uint32_t fixed_bytes;
  std::uint32_t element_bytes;
  std::uint32_t type_bytes;
  std::uint32_t element_name_bytes;
  std::uint32_t reference_bytes;
  std::uint32_t zero;
};
static_assert(std::is_standard_layout_v<any_header> && std::is_trivially_copyable_v<any_header>);
static_assert(offsetof(any_header, value_bytes) == 8 && offsetof(any_header, value_offset) == 16);
static_assert(offsetof(any_header, kind) == 20 && offsetof(any_header, element_bytes) == 28);
static_assert(offsetof(any_header, type_bytes) == 32 && offsetof(any_header, reference_bytes) == 40);
static_assert(sizeof(any_header) == 48);

}  // namespace weir::detail
