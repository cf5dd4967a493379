// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <algorithm>
#include <climits>

#include "runtime/results.hpp"
#include "sync/futex.hpp"
#include "weir/detail/crash_point.hpp"
#include "weir/detail/payload.hpp"
#include "weir/error.hpp"

namespace weir::runtime {

own_results::own_results(session_table& table, process_id owner)
    : table_(table), segment_(results_segment::create(owner)) {}

void own_results::add_slots() {
  results_header& header = segment_->header();
  const std::uint32_t have = header.slots_ready.load(std::memory_order_relaxed);
  if (have == kResultSlots) {
    throw no_space(fmt::format("weir: call: this process waits for {} results already; let go of some futures", have));
  }
  const std::uint32_t more = std::min(kSlotsAtOnce, kResultSlots - have);
  segment_->segment_.reserve("make room for results", kResultSlotsOffset + have * sizeof(result_slot),
                             more * sizeof(result_slot));
  // Room for all slots, so that letting one go needs no memory.
  free_.reserve(have + more);
  lingering_.reserve(have + more);
  for (std::uint32_t i = more; i > 0; --i) free_.push_back(have + i - 1);
  WEIR_CRASH_POINT("results.slots.adding");
  header.slots_ready.store(have + more, std::memory_order_release);  // pairs with the acquire in find()
  WEIR_CRASH_POINT("results.slots.added");
}

result_place own_results::set_aside(process_id callee) {
  const std::scoped_lock lock(mutex_);
  if (lingering_.size() >= look_at_) look_at_lingering();
  if (free_.empty()) look_at_lingering();
  if (free_.empty()) add_slots();
  const std::uint32_t index = free_.back();
  free_.pop_back();
  result_slot& slot = segment_->slot(index);
  const std::uint32_t generation = generation_of(slot.word.load(std::memory_order_relaxed) + (1U << kGenerationShift));
  WEIR_CRASH_POINT("results.aside.begin");
  slot.references.store(1, std::memory_order_relaxed);
  slot.callee = callee;
  slot.place = kInSlot;
  slot.bytes = 0;
  slot.has_references = 0;
  WEIR_CRASH_POINT("results.aside.written");
  slot.word.store(make_word(result_phase::pending, generation),
                  std::memory_order_release);  // pairs with store()'s acquire
  WEIR_CRASH_POINT("results.aside.pending");
  return {index, generation};
}

void own_results::let_go(std::uint32_t slot) noexcept {
  const std::scoped_lock lock(mutex_);
  if (set_free(slot)) {
    free_.push_back(slot);
  } else {
    lingering_.push_back(slot);
  }
}

void own_results::wake_waiters_for(process_id callee) noexcept {
  const std::scoped_lock lock(mutex_);  // so that no slot changes its callee
  const std::uint32_t count = segment_->header().slots_ready.load(std::memory_order_acquire);
  for (std::uint32_t index = 0; index < count; ++index) {
    const result_slot& slot = segment_->slot(index);
    const std::uint32_t seen = slot.word.load(std::memory_order_seq_cst);
    const bool is_waited_for = phase_of(seen) == result_phase::pending && (seen & kResultSleeper) != 0;
    if (is_waited_for && slot.callee == callee) sync::wake_sleepers(slot.word, INT_MAX);
  }
}

/// False if somebody still refers to the slot, or will still write to it.
bool own_results::set_free(std::uint32_t index) noexcept {
  result_slot& slot = segment_->slot(index);
  if (slot.references.load(std::memory_order_seq_cst) != 0) return false;
  const std::uint32_t seen = slot.word.load(std::memory_order_acquire);
  const result_place place{index, generation_of(seen)};
  WEIR_CRASH_POINT("results.free.begin");
  if (is_final(phase_of(seen))) {
    if (slot.has_references != 0) {
      try {
        detail::release_references(segment_->read(place).bytes);
      } catch (const std::exception&) {
        // The blob has gone: with it the references' names. The objects stay until the session ends.
      }
    }
    if (slot.place == kInBlock && slot.block < segment_->block_count_) free_block(slot.block);
    if (slot.place == kInBlob) remove_blob(segment_->blob_name(place));
  } else {
    if (!table_.is_gone(slot.callee)) return false;
    // It may have died at any point of storing the answer.
    const std::uint64_t claim = make_claim(index, place.generation);
    for (std::uint32_t i = 0; i < segment_->block_count_; ++i) {
      if (segment_->block(i).claim.load(std::memory_order_acquire) == claim) free_block(i);
    }
    remove_blob(segment_->blob_name(place));
  }
  WEIR_CRASH_POINT("results.free.emptied");
  slot.word.store(make_word(result_phase::unused, place.generation), std::memory_order_release);
  WEIR_CRASH_POINT("results.free.done");
  return true;
}

void own_results::free_block(std::uint32_t index) noexcept {
  result_block& block = segment_->block(index);
  const std::size_t have = std::min(block.reserved.load(std::memory_order_relaxed), segment_->stride_);
  if (have > kKeptBlockBytes) {
    // First the number: dying in between leaves memory that is reserved once more, not memory that is not there.
    block.reserved.store(kKeptBlockBytes, std::memory_order_relaxed);
    WEIR_CRASH_POINT("results.block.shrunk");
    const std::size_t offset = kResultBlocksOffset + index * segment_->stride_;
    segment_->segment_.give_back(offset + kKeptBlockBytes, have - kKeptBlockBytes);
  }
  WEIR_CRASH_POINT("results.block.freeing");
  block.claim.store(0, std::memory_order_release);  // pairs with the acquire in claim_block()
  WEIR_CRASH_POINT("results.block.freed");
}

void own_results::look_at_lingering() noexcept {
  const auto end = std::remove_if(lingering_.begin(), lingering_.end(), [&](std::uint32_t slot) {
    if (!set_free(slot)) return false;
    free_.push_back(slot);
    return true;
  });
  lingering_.erase(end, lingering_.end());
  look_at_ = std::max(kLookAgainAfter, 2 * lingering_.size());  // so that looking costs little for each slot
}

}  // namespace weir::runtime
