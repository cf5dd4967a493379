// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace weir::sync {

/// The kernel's number of the calling thread, asked for once a thread. Right in a forked child too.
[[nodiscard]] std::int32_t thread_id() noexcept;

}  // namespace weir::sync
