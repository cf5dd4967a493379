// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "array/array_layout.hpp"
#include "segment/process_identity.hpp"
#include "segment/segment.hpp"

namespace weir::arrays {

/// What the segments of arrays in files are called: `@file.DEVICE.NUMBER`, in hexadecimal.
inline constexpr std::string_view kFileBoundPrefix = "@file.";

/// Who has an array, as its bytes and the locks on them say.
struct array_users {
  std::vector<shm::process_identity> attached;  ///< of the seats that are held; of other pid namespaces too
  bool ever_attached = false;                   ///< somebody has had a seat
  std::int32_t pins = 0;                        ///< references under way
};

/// Seats whose bytes are locked in that file, by whomever. Never waits.
[[nodiscard]] std::vector<std::uint32_t> held_seats(int fd);

/// Reads it from the file: maps nothing, takes no lock. Throws corrupt_segment.
[[nodiscard]] array_users users_of(std::string_view name, const shm::segment_look& array);

/// Removes the segments of arrays in files that were made in this process's realm, but for those that a process has.
void remove_own_file_bound() noexcept;

}  // namespace weir::arrays
