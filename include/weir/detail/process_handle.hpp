// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>

#include "weir/ids.hpp"

namespace weir::detail {

/// weir::worker, for headers that do without its own.
template <class W>
concept process_handle = requires(const W& worker) {
  { worker.id() } -> std::same_as<process_id>;
};

}  // namespace weir::detail
