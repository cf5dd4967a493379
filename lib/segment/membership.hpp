// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#include "weir/ids.hpp"

namespace weir::shm {

/// Makes weir::my_id() answer `id`; called in a worker before anything is created.
void set_my_id(process_id id) noexcept;

/// The next running number for an object made by this process, from 1. A user's object takes one, named or not.
[[nodiscard]] std::uint64_t next_object_id() noexcept;

}  // namespace weir::shm
