// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <vector>

#include "channel/channel_layout.hpp"
#include "fuzz/input.hpp"
#include "fuzz/segment_bytes.hpp"
#include "weir/detail/channel_core.hpp"

namespace weir::fuzz {

/// A sound channel to damage: with items inside, and a dead process among its participants.
struct channel_image {
  detail::item_type type;
  channels::channel_geometry geometry;
  segment_image bytes;
};

/// Those of all sorts: fixed and varying sizes, in slots and in blocks, rings of a power of two and not, rendezvous.
[[nodiscard]] const std::vector<channel_image>& channel_images();

/// Entry of the dead one.
inline constexpr std::uint32_t kDeadParticipant = 2;

/// Does to the channel's bytes what the input says: one field changed, or the file cut, made longer, or laid out anew.
/// `may_resize` is false while the file is mapped: what is cut off under a mapping nobody can survive reading.
void damage(input& from, const channel_image& image, segment_file_copy& file, bool may_resize);

}  // namespace weir::fuzz
