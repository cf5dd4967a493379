// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace weir::arrays {

/// References to arrays in items are pinned and unpinned from then on: to be called by the layer that writes them.
void connect_references() noexcept;

}  // namespace weir::arrays
