// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>

/// References under way to things that are no channels (futures, workers): higher layers' business, which give what they
/// need here. Such references begin with a '/', which no segment's name has in it.
namespace weir::channels {

struct other_references {
  /// Throws if the thing has gone.
  void (*pin)(std::string_view reference) = nullptr;
  void (*unpin)(std::string_view reference) noexcept = nullptr;
};
/// Set once, before any such reference is sent or received.
void set_other_references(other_references functions) noexcept;

/// False: the reference names a segment; nothing has been done.
bool pin_other(std::string_view reference);
bool unpin_other(std::string_view reference) noexcept;

}  // namespace weir::channels
