// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>

#include "channel/channel_core.hpp"

/// Making, finding and sharing this process's attachments: one channel_core for each channel, however many handles.
namespace weir::detail {

/// The segment's bytes must be a channel that hangs together before anything in it is used. What can be relied upon from
/// then on is what is returned. Throws corrupt_segment.
ch::checked_constants check_channel(std::string_view operation, const shm::segment& segment);

/// Attaches whatever type of items the channel has. Throws as open_named.
core_handle attach_any(std::string_view segment_name);

/// To be called when tracing has been switched on or off: the channels of this process go by it from now on.
void follow_tracing();

/// Whether a channel of that name exists and is bound to that process; reads the file, maps nothing, throws nothing.
[[nodiscard]] bool is_bound_to(std::string_view segment_name, const shm::process_identity& who) noexcept;

/// Removes a channel's name unless a living process is attached to it, whether references are under way or not; also the
/// name of a damaged one.
void remove_unless_attached(std::string_view segment_name) noexcept;

/// gone: nothing has that name (any more). in_use: by a living process, or its lock is held; nothing was done.
enum class abandoned { cleared, gone, in_use };

/// Removes the name of a channel that no living process is attached to, and that no more than `most_pins` references
/// keep; decided under its lock, which is not waited for. A death in the middle leaves what the next one removes.
/// Throws corrupt_segment, permission_denied, no_space, std::system_error (the lock is beyond repair).
abandoned remove_abandoned(std::string_view segment_name, std::int32_t most_pins);

/// Undoes what dead processes have left half done in a channel. As remove_abandoned().
abandoned release_the_dead(std::string_view segment_name);

}  // namespace weir::detail
