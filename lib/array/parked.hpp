// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string_view>

#include "array/array_layout.hpp"
#include "segment/segment.hpp"

namespace weir::detail {

/// Mappings of arrays to which this process has had handles lately and has none now: a call that gets the same array as
/// the last one finds it mapped, and its pages where they were. Whoever has one of these has no seat: to the others it is
/// as if it were gone, and who removes the array gives its memory back, mapped or not. The caller locks.
class parked_arrays {
 public:
  struct entry {
    shm::segment segment;
    arrays::checked_constants constants;
  };
  /// Takes it out, if the array is there and its name (without `weir.`) still stands for it.
  [[nodiscard]] std::optional<entry> take(std::string_view segment_name) noexcept;
  /// The longest parked goes where there are too many; none is kept where address space is limited. Throws std::bad_alloc.
  void park(entry each);
  /// False: there was none.
  bool clear() noexcept;

 private:
  void drop_the_removed() noexcept;
  std::list<entry> entries_;  // the latest first
};

}  // namespace weir::detail
