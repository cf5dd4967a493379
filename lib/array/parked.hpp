// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string_view>

#include "segment/segment.hpp"

namespace weir::detail {

/// Mappings of arrays to which this process has had handles lately and has none now: a call that gets the same array as
/// the last one finds it mapped, and its pages where they were. Whoever has one of these has no seat: to the others it is
/// as if it were gone, and who removes the array gives its memory back, mapped or not. The caller locks.
class parked_arrays {
 public:
  /// Takes out what had that name (without `weir.`) when it was parked. What lies there may have been damaged since, and
  /// the name may be another array's: nothing in it is to be believed, nor even read, before that has been looked at.
  [[nodiscard]] std::optional<shm::segment> take(std::string_view segment_name) noexcept;
  /// The longest parked goes where there are too many; none is kept where address space is limited. Throws std::bad_alloc.
  void park(shm::segment each);
  /// False: there was none.
  bool clear() noexcept;

 private:
  void drop_the_removed() noexcept;
  std::list<shm::segment> entries_;  // the latest first
};

}  // namespace weir::detail
