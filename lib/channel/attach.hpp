// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>

#include "channel/channel_core.hpp"

/// Making, finding and sharing this process's attachments: one channel_core for each channel, however many handles.
namespace weir::detail {

/// Attaches whatever type of items the channel has. Throws as open_named.
core_handle attach_any(std::string_view segment_name);

/// Whether a channel of that name exists and is bound to that process; reads the file, maps nothing, throws nothing.
[[nodiscard]] bool is_bound_to(std::string_view segment_name, const shm::process_identity& who) noexcept;

/// Removes a channel's name unless a living process is attached to it, whether references are under way or not; also the
/// name of a damaged one.
void remove_unless_attached(std::string_view segment_name) noexcept;

}  // namespace weir::detail
