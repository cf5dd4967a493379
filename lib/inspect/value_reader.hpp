// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "inspect/value.hpp"
#include "weir/detail/item_type.hpp"

namespace weir::inspect {

struct value_node;  // a type, ready to be read; value_node.hpp

/// Decodes values of one type from their bytes, knowing the type by its name only. Waits for nothing, attaches to
/// nothing, and survives any bytes and any name: what cannot be becomes a value of kind `corrupt`, what a type's name
/// does not tell one of kind `bytes`. Time and memory are bounded by the number of bytes. Throws std::bad_alloc only.
/// Any number of threads may read with one at a time.
class value_reader {
 public:
  /// `type` and `kind` as a segment's header or an any says them; `element_bytes` of a sequence, 0: not known.
  value_reader(std::string_view type, detail::item_kind kind, std::size_t element_bytes = 0);
  value_reader(const value_reader&) = delete;
  value_reader& operator=(const value_reader&) = delete;
  ~value_reader();

  /// The value of an item's body (without its list of references).
  [[nodiscard]] value read(std::span<const std::byte> body) const;

  /// One element of a sequence or an array, as it lies in memory.
  [[nodiscard]] value read_element(std::span<const std::byte> element) const;

 private:
  std::unique_ptr<const value_node> node_;
  detail::item_kind kind_;
  std::size_t element_bytes_;
};

/// The value of an item as it lies in a channel; `has_references`: a list of them ends it.
[[nodiscard]] value read_item(const value_reader& reader, std::span<const std::byte> item, bool has_references);

}  // namespace weir::inspect
