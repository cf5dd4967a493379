// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>

namespace weir::fuzz {

/// Called before each pread() of the library while it is set: bytes that change between two reads. Empty: nothing.
void set_before_read(std::function<void()> action);

}  // namespace weir::fuzz
