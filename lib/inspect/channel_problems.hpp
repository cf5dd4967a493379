// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <vector>

#include "inspect/channel.hpp"
#include "inspect/channel_snapshot.hpp"

namespace weir::inspect {

struct problems_found {
  /// Each about one slot, block, waiter or the lock, and with its turn, ticket or time in the text: what is found twice
  /// in the same words was no moment of an operation under way.
  std::vector<std::string> single;
  /// About many words at once. To be believed of a settled snapshot only.
  std::vector<std::string> overall;
};

/// `report` has been filled in from `snapshot`, but for its problems.
[[nodiscard]] problems_found find_problems(const channel_constants& constants, const channel_snapshot& snapshot,
                                           const channel_report& report);

}  // namespace weir::inspect
