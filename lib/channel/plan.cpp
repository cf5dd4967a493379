// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "channel/make.hpp"

namespace weir::detail {
namespace {

constexpr std::uint32_t kSpareBlocks = 64;  // for items being put, lent or viewed while the slots are full
constexpr std::size_t kLeastStride = std::size_t{64} << 10U;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitizer = true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
constexpr bool kSanitizer = true;
#else
constexpr bool kSanitizer = false;
#endif
#else
constexpr bool kSanitizer = false;
#endif

constexpr std::size_t kGiB = std::size_t{1} << 30U;

/// Address space for the blocks of one channel. A process has 128 TiB: the first channels get the most, and the more this
/// process has mapped the less each further one gets, so that thousands find room. Sanitizers keep shadow memory for all
/// that is mapped, and a limit on address space may leave room for a few channels only.
std::size_t address_space_for_blocks() noexcept {
  constexpr std::size_t kInAll = 100 * 1024 * kGiB;
  constexpr std::size_t kShareOfRest = 256;
  const std::size_t mapped = std::min(shm::mapped_bytes(), kInAll);
  std::size_t bytes = std::clamp((kInAll - mapped) / kShareOfRest, 8 * kGiB, 256 * kGiB);
  if (kSanitizer) bytes = 8 * kGiB;
  rlimit limit{};
  constexpr std::size_t kShareOfLimit = 16;
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    bytes = std::min<std::size_t>(bytes, limit.rlim_cur / kShareOfLimit);
  }
  return bytes;
}

std::size_t physical_memory() noexcept {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  return pages > 0 ? static_cast<std::size_t>(pages) * shm::kPage : std::size_t{1} << 40U;
}

constexpr std::size_t round_up(std::size_t bytes, std::size_t to) noexcept { return (bytes + to - 1) / to * to; }

/// Slots for items of any size, of up to `max_item_bytes` (0: not limited): as wide as the memory set aside for them
/// allows, since an item that lies in its slot is handed over without a block. An odd number of lines from three on, so
/// that neighbouring slots fall into different sets of the caches.
std::uint32_t wide_slot_bytes(std::size_t slots, std::size_t max_item_bytes) noexcept {
  constexpr std::size_t kForSlots = std::size_t{320} << 10U;
  const std::size_t wanted = max_item_bytes == 0 || max_item_bytes > ch::kMostSlotBytes
                                 ? ch::kMostSlotBytes
                                 : round_up(ch::kPiece + max_item_bytes, ch::kLine);
  std::size_t lines = std::clamp(kForSlots / slots, ch::kLine, std::min(wanted, ch::kMostSlotBytes)) / ch::kLine;
  if (lines > 2) lines |= 1U;
  return static_cast<std::uint32_t>(lines * ch::kLine);
}

}  // namespace

ch::channel_geometry plan_channel(std::string_view operation, std::string_view name, std::size_t fixed_bytes,
                                  std::size_t capacity, const channel_options& options) {
  if (capacity > kMaxCapacity) {
    throw invalid_argument(
        fmt::format("weir: {} \"{}\": capacity {} is over the limit of {}", operation, name, capacity, kMaxCapacity));
  }
  ch::channel_geometry g;
  g.capacity = capacity;
  g.slot_count = std::max<std::size_t>(capacity, 1);
  g.block_count = static_cast<std::uint32_t>(capacity) + kSpareBlocks;
  g.slot_bytes =
      fixed_bytes != 0 ? static_cast<std::uint32_t>(ch::kLine) : wide_slot_bytes(g.slot_count, options.max_item_bytes);
  if (fixed_bytes != 0) {
    for (const std::uint32_t bytes : {64U, 128U, 256U}) {
      if (ch::lie_in_slots(fixed_bytes, bytes)) {
        g.slot_bytes = bytes;
        break;
      }
    }
    g.block_stride = round_up(fixed_bytes, ch::kLine);
  } else if (options.max_item_bytes != 0) {
    constexpr std::size_t kMostItem = std::size_t{1} << 46U;
    if (options.max_item_bytes > kMostItem) {
      throw invalid_argument(fmt::format("weir: {} \"{}\": max_item_bytes {} is over the limit of {}", operation, name,
                                         options.max_item_bytes, kMostItem));
    }
    g.block_stride = round_up(options.max_item_bytes, shm::kPage);
  } else {
    const std::size_t share = address_space_for_blocks() / g.block_count / shm::kPage * shm::kPage;
    g.block_stride = std::max(kLeastStride, std::min(share, round_up(physical_memory(), shm::kPage)));
  }
  if (!ch::lay_out(g)) {
    throw invalid_argument(fmt::format("weir: {} \"{}\": {} items of up to {} bytes are more than a file can hold",
                                       operation, name, capacity, g.block_stride));
  }
  return g;
}

}  // namespace weir::detail
