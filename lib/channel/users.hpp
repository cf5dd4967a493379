// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "segment/process_identity.hpp"
#include "segment/segment.hpp"

namespace weir::channels {

/// Who uses a channel, as its bytes say.
struct channel_users {
  std::vector<shm::process_identity> attached;
  std::int32_t pins = 0;  ///< references under way
};

/// Reads it from the file: maps nothing, takes no lock. What it finds may be stale when it returns, but a process that
/// was attached all the while is in it. Throws corrupt_segment.
[[nodiscard]] channel_users users_of(std::string_view name, const shm::segment_look& channel);

}  // namespace weir::channels
