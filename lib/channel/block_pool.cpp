// SPDX-License-Identifier: BSL-1.0
#include "channel/block_pool.hpp"

#include <algorithm>

#include "weir/detail/crash_point.hpp"

namespace weir::channels {

std::optional<std::uint32_t> block_pool::try_claim(std::uint32_t me) noexcept {
  for (std::uint32_t block = 0; block < count_; ++block) {
    std::atomic<std::uint64_t>& word = entries_[block].word;
    std::uint64_t expected = make_block_word(block_phase::free);
    if (word.load(std::memory_order_relaxed) != expected) continue;
    WEIR_CRASH_POINT("block.claiming");
    // Pairs with the store in release(): what the last holder did to the block has happened.
    if (word.compare_exchange_strong(expected, make_block_word(block_phase::held, me), std::memory_order_seq_cst)) {
      WEIR_CRASH_POINT("block.claimed");
      return block;
    }
  }
  return std::nullopt;
}

void block_pool::reserve(std::uint32_t block, std::size_t bytes) {
  block_entry& e = entries_[block];
  std::size_t have = e.reserved.load(std::memory_order_relaxed);
  if (have > stride_) have = 0;  // damaged; what has memory is reserved again
  if (bytes <= have) return;
  const std::size_t want = std::min<std::size_t>((bytes + shm::kPage - 1) / shm::kPage * shm::kPage, stride_);
  segment_->reserve("put into channel", offset_of(block) + have, want - have);
  WEIR_CRASH_POINT("block.reserved");
  e.reserved.store(want, std::memory_order_relaxed);
  WEIR_CRASH_POINT("block.extended");
}

void block_pool::release(std::uint32_t block, std::uint32_t me) noexcept {
  block_entry& e = entries_[block];
  const std::size_t keep = (idle_bytes_ + shm::kPage - 1) / shm::kPage * shm::kPage;
  // Never more than the stretch: what follows is another's.
  const std::size_t have = std::min<std::size_t>(e.reserved.load(std::memory_order_relaxed), stride_);
  if (idle_bytes_ < have && keep < have) {
    WEIR_CRASH_POINT("block.dropping");
    // If we die from here on, the block is freed: no slot names it. As taken(me) it would be given to another taker.
    e.word.store(make_block_word(block_phase::held, me), std::memory_order_release);
    WEIR_CRASH_POINT("block.shrinking");
    e.reserved.store(keep, std::memory_order_relaxed);
    WEIR_CRASH_POINT("block.shrunk");
    segment_->give_back(offset_of(block) + keep, have - keep);
  }
  WEIR_CRASH_POINT("block.release");
  e.word.store(make_block_word(block_phase::free), std::memory_order_release);  // pairs with try_claim()
  WEIR_CRASH_POINT("block.released");
}

}  // namespace weir::channels
