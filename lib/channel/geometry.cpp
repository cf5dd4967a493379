// SPDX-License-Identifier: BSL-1.0
#include "channel/channel_layout.hpp"
#include "weir/channel_options.hpp"

namespace weir::channels {
namespace {

constexpr std::uint64_t up_to_page(std::uint64_t bytes) noexcept {
  return (bytes + shm::kPage - 1) / shm::kPage * shm::kPage;
}

}  // namespace

bool lay_out(channel_geometry& g) noexcept {
  constexpr std::uint64_t kMostBlocks = std::uint64_t{2} * kMaxCapacity;
  constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 62U;
  if (g.capacity > kMaxCapacity || g.slot_count != (g.capacity == 0 ? 1 : g.capacity)) return false;
  if (g.slot_bytes < kLine || g.slot_bytes > kMostSlotBytes || g.slot_bytes % kLine != 0) return false;
  if (g.block_count == 0 || g.block_count > kMostBlocks) return false;
  if (g.block_stride == 0 || g.block_stride % kLine != 0 || g.block_stride > kMostBytes / g.block_count) return false;
  g.participants_offset = 2 * shm::kPage;
  g.waiters_offset = g.participants_offset + std::uint64_t{kParticipants} * sizeof(participant_entry);
  g.slots_offset = up_to_page(g.waiters_offset + std::uint64_t{kWaiters} * sizeof(waiter_entry));
  g.block_table_offset = up_to_page(g.slots_offset + g.slot_count * g.slot_bytes);
  g.blocks_offset = up_to_page(g.block_table_offset + std::uint64_t{g.block_count} * sizeof(block_entry));
  g.file_bytes = up_to_page(g.blocks_offset + std::uint64_t{g.block_count} * g.block_stride);
  return true;
}

channel_geometry geometry_of(const channel_header& h, std::uint64_t file_bytes) noexcept {
  channel_geometry g;
  g.capacity = h.capacity;
  g.slot_count = h.slot_count;
  g.block_stride = h.block_stride;
  g.slot_bytes = h.slot_bytes;
  g.block_count = h.block_count;
  g.participants_offset = h.participants_offset;
  g.waiters_offset = h.waiters_offset;
  g.slots_offset = h.slots_offset;
  g.block_table_offset = h.block_table_offset;
  g.blocks_offset = h.blocks_offset;
  g.file_bytes = file_bytes;
  return g;
}

const char* contradiction_in(const channel_header& h, std::uint64_t file_bytes) noexcept {
  if (file_bytes < 2 * shm::kPage) return "the file is shorter than a channel's header";
  const channel_geometry says = geometry_of(h, file_bytes);
  channel_geometry must = says;
  if (!lay_out(must) || must != says) return "the channel's header contradicts itself";
  if (h.max_item_bytes > h.block_stride) return "its largest item is larger than a block";
  if (h.participants_high > kParticipants || h.waiters_high > kWaiters) return "its tables are out of range";
  return nullptr;
}

bool suits_items(const channel_geometry& g, std::size_t fixed_bytes) noexcept {
  if (fixed_bytes == 0) return true;
  if (g.slot_bytes > kMostFixedSlotBytes || g.block_stride < fixed_bytes) return false;
  return lie_in_slots(fixed_bytes, g.slot_bytes) || !lie_in_slots(fixed_bytes, kMostFixedSlotBytes);
}

}  // namespace weir::channels
