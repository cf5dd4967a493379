// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

/// Removing what a session has made in shared memory, but for its trace: that outlives it, until `weir gc` or the next
/// session that is traced (lib/runtime/tracing.hpp).
namespace weir::runtime {

/// Removes every segment of the realm, whoever uses it: its control process is dead.
void remove_realm(std::string_view realm) noexcept;

/// Removes the segments of this process's realm, but for unnamed objects that some process is attached to.
void remove_own_realm() noexcept;

}  // namespace weir::runtime
