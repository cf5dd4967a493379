// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <limits>

namespace weir {

/// Largest number of items a channel may be made for.
inline constexpr std::size_t kMaxCapacity = std::size_t{1} << 20;

/// How a channel is made. Fixed at creation; openers take what they find.
struct channel_options {
  /// Largest item in bytes; put throws item_too_large above it. 0: as much as the address space set aside for a channel
  /// allows, divided by its capacity plus 64. That is 256 GiB for a process's first hundreds of channels, less for the
  /// thousands after them (8 GiB at least) and under an address-space limit or a sanitizer; memory is used only for what
  /// is written. Programs with many channels, or that depend on a size, say it here. Items of varying size lie in their
  /// slots up to about 1 KiB, less in channels of many; for these a channel takes up to 320 KiB from the start (64 bytes
  /// a slot at least), and the less the smaller this is.
  std::size_t max_item_bytes = 0;
  /// Memory a free block may keep for its next item, in bytes; what is above is given back when the block is freed.
  /// The default keeps it, since touching new memory costs several times the copy itself.
  std::size_t idle_block_bytes = std::numeric_limits<std::size_t>::max();
};

}  // namespace weir
