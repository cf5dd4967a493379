// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

/// References under way to things that are no channels (futures, workers): higher layers' business, which give what they
/// need here. Such references begin with a '/', which no segment's name has in it.
namespace weir::channels {

struct other_references {
  /// What such references begin with; lives as long as the program.
  std::string_view prefix;
  /// Throws if the thing has gone.
  void (*pin)(std::string_view reference) = nullptr;
  void (*unpin)(std::string_view reference) noexcept = nullptr;
};
/// Before any such reference is sent or received. Once for each prefix: again has no effect.
void add_other_references(const other_references& functions) noexcept;

/// False: the reference names a segment; nothing has been done.
bool pin_other(std::string_view reference);
bool unpin_other(std::string_view reference) noexcept;

/// Takes back the pins of the references that an item holds: the business of the layer that writes them into items, and
/// that sets this once. Throws corrupt_segment.
void set_release_of_items(void (*release)(std::span<const std::byte> item)) noexcept;
/// No effect in a program that has none of those items.
void release_item(std::span<const std::byte> item);

}  // namespace weir::channels
