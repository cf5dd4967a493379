// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "channel/channel_layout.hpp"
#include "segment/segment.hpp"

namespace weir::channels {

/// The blocks of one channel as this process sees them: claiming, filling and freeing one. No waiting.
class block_pool {
 public:
  block_pool() = default;
  block_pool(shm::segment& segment, const checked_constants& constants) noexcept
      : segment_(&segment),
        entries_(segment.at<block_entry>(constants.geometry.block_table_offset)),
        count_(constants.geometry.block_count),
        offset_(constants.geometry.blocks_offset),
        stride_(constants.geometry.block_stride),
        idle_bytes_(constants.idle_block_bytes) {}

  [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
  [[nodiscard]] block_entry& entry(std::uint32_t block) const noexcept { return entries_[block]; }
  [[nodiscard]] std::byte* data(std::uint32_t block) const noexcept { return segment_->base() + offset_of(block); }
  /// From the segment's first byte.
  [[nodiscard]] std::size_t offset_of(std::uint32_t block) const noexcept { return offset_ + block * stride_; }
  /// The most that an item in a block can have.
  [[nodiscard]] std::size_t stride() const noexcept { return stride_; }
  [[nodiscard]] std::size_t idle_bytes() const noexcept { return idle_bytes_; }

  /// free -> held(me). The first free one, so that the same few blocks stay in use and their memory warm.
  [[nodiscard]] std::optional<std::uint32_t> try_claim(std::uint32_t me) noexcept;

  /// Makes the first `bytes` of a block that this process holds safe to write. Throws no_space.
  void reserve(std::uint32_t block, std::size_t bytes);

  /// held(me) or taken(me) -> free, after giving back what it may not keep; taken(me) becomes held(me) before, since the
  /// item is not to be had any more. The caller wakes who waits for blocks; this is no fence.
  void release(std::uint32_t block, std::uint32_t me) noexcept;

 private:
  shm::segment* segment_ = nullptr;
  block_entry* entries_ = nullptr;
  std::uint32_t count_ = 0;
  std::size_t offset_ = 0;
  std::size_t stride_ = 0;
  std::size_t idle_bytes_ = 0;
};

}  // namespace weir::channels
