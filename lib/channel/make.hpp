// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string_view>

#include "channel/channel_core.hpp"

namespace weir::detail {

/// How a new channel is divided: slots large enough for small items of one size, blocks for the others. Throws
/// invalid_argument (capacity, max_item_bytes).
ch::channel_geometry plan_channel(std::string_view operation, std::string_view name, std::size_t fixed_bytes,
                                  std::size_t capacity, const channel_options& options);

/// Makes the segment and attaches. Throws as create_named.
core_handle make_channel(const shm::segment_spec& spec, std::size_t capacity, const channel_options& options,
                         std::string_view operation);

/// Attaches after checking the type of the items. Throws as open_named.
core_handle attach_typed(std::string_view segment_name, const item_type& type);

}  // namespace weir::detail
