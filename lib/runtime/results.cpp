// SPDX-License-Identifier: BSL-1.0
#include "runtime/results.hpp"

#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstring>
#include <new>

#include "segment/names.hpp"
#include "sync/blocking.hpp"
#include "sync/futex.hpp"
#include "sync/patience.hpp"
#include "sync/shared_event.hpp"
#include "weir/detail/crash_point.hpp"
#include "weir/error.hpp"

namespace weir::runtime {
namespace {

constexpr const char* kStore = "store a call's result";
constexpr std::size_t kLargestBlock = std::size_t{256} << 20U;

std::string segment_name(process_id owner) { return shm::own_name(fmt::format("results.{}", owner)); }

/// Address space for one block: ample, unless the process may use little of it.
std::uint64_t block_stride() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kLargestBlock;
  constexpr std::size_t kShare = 32;  // of the whole limit, for one process's blocks
  const std::size_t stride = limit.rlim_cur / kShare / kResultBlocks / shm::kPage * shm::kPage;
  return std::clamp(stride, shm::kPage, kLargestBlock);
}

std::size_t up_to_page(std::size_t bytes) { return (bytes + shm::kPage - 1) / shm::kPage * shm::kPage; }

}  // namespace

std::shared_ptr<results_segment> results_segment::create(process_id owner) {
  shm::segment_spec spec;
  spec.name = segment_name(owner);
  spec.kind = shm::object_kind::results;
  spec.where = owner;
  spec.whence = owner;
  const std::uint64_t stride = block_stride();
  auto made = std::make_shared<results_segment>();
  made->stride_ = stride;
  made->block_count_ = kResultBlocks;
  made->segment_ = shm::segment::create("make room for results", spec, kResultBlocksOffset + kResultBlocks * stride,
                                        kResultSlotsOffset, [&](shm::segment& segment) {
                                          auto* header = new (segment.base() + kResultsHeaderOffset) results_header{};
                                          header->block_bytes = stride;
                                          header->block_count = kResultBlocks;
                                        });
  return made;
}

std::shared_ptr<results_segment> results_segment::attach(process_id owner) {
  auto found = std::make_shared<results_segment>();
  found->segment_ = shm::segment::open("find results", segment_name(owner), shm::object_kind::results);
  const std::size_t bytes = found->segment_.bytes();
  if (bytes >= kResultBlocksOffset) {
    found->stride_ = found->header().block_bytes;
    found->block_count_ = found->header().block_count;
  }
  const bool fits = bytes >= kResultBlocksOffset && found->block_count_ <= kResultBlocks &&
                    found->stride_ <= (bytes - kResultBlocksOffset) / kResultBlocks;
  if (!fits) {
    throw corrupt_segment(fmt::format("weir: find results \"{}\": {} blocks of {} bytes do not fit its {} bytes",
                                      found->segment_.name(), found->block_count_, found->stride_, bytes));
  }
  return found;
}

result_slot& results_segment::slot(std::uint32_t index) const noexcept {
  return segment_.at<result_slot>(kResultSlotsOffset)[index];
}

result_slot* results_segment::find(std::uint32_t index) const noexcept {
  // Pairs with the release in add_slots(): slots below slots_ready have memory.
  const std::uint32_t ready = std::min(header().slots_ready.load(std::memory_order_acquire), kResultSlots);
  return index < ready ? &slot(index) : nullptr;
}

std::string results_segment::blob_name(result_place place) const {
  return shm::own_name(fmt::format("blob.answer.{}.{}.{}", owner(), place.slot, place.generation));
}

std::optional<std::uint32_t> results_segment::claim_block(result_place place, std::size_t bytes) {
  const std::uint64_t mine = make_claim(place.slot, place.generation);
  // First among those that have the memory already.
  for (const bool warm : {true, false}) {
    for (std::uint32_t i = 0; i < block_count_; ++i) {
      result_block& candidate = block(i);
      if (warm && candidate.reserved.load(std::memory_order_relaxed) < bytes) continue;
      std::uint64_t nobody = candidate.claim.load(std::memory_order_relaxed);
      // Acquire: pairs with the release in free_block().
      if (nobody == 0 && candidate.claim.compare_exchange_strong(nobody, mine, std::memory_order_acquire)) return i;
    }
  }
  return std::nullopt;
}

void results_segment::reserve_block(std::uint32_t index, std::size_t bytes) {
  result_block& mine = block(index);
  const std::size_t have = mine.reserved.load(std::memory_order_relaxed);
  const std::size_t need = std::min(up_to_page(bytes), stride_);
  if (need <= have) return;
  try {
    segment_.reserve(kStore, kResultBlocksOffset + index * stride_ + have, need - have);
  } catch (...) {
    mine.claim.store(0, std::memory_order_release);  // pairs with the acquire in claim_block()
    throw;
  }
  WEIR_CRASH_POINT("results.block.reserved");
  mine.reserved.store(need, std::memory_order_relaxed);
  WEIR_CRASH_POINT("results.block.sized");
}

bool results_segment::store(result_place place, result_phase phase, const detail::payload& bytes) {
  result_slot* target = find(place.slot);
  if (target == nullptr) return false;
  const std::uint32_t seen = target->word.load(std::memory_order_acquire);
  if (phase_of(seen) != result_phase::pending || generation_of(seen) != place.generation) return false;
  const bool wanted = target->references.load(std::memory_order_seq_cst) != 0;
  const std::size_t size = wanted ? total_bytes(bytes.parts) : 0;
  WEIR_CRASH_POINT("results.store.begin");
  if (size <= kSmallResult) {
    target->place = kInSlot;
    if (wanted) gather(bytes.parts, target->small);
  } else if (const auto claimed = size <= stride_ ? claim_block(place, size) : std::nullopt) {
    WEIR_CRASH_POINT("results.store.claimed");
    reserve_block(*claimed, size);
    gather(bytes.parts, block_bytes(*claimed));
    WEIR_CRASH_POINT("results.store.copied");
    target->place = kInBlock;
    target->block = *claimed;
  } else {
    const std::string name = blob_name(place);
    write_blob(kStore, name, bytes.parts);
    WEIR_CRASH_POINT("results.store.blob");
    target->place = kInBlob;
    target->small[name.copy(reinterpret_cast<char*>(target->small), kSmallResult - 1)] = std::byte{0};
  }
  target->bytes = size;
  target->has_references = wanted && bytes.has_references ? 1 : 0;
  WEIR_CRASH_POINT("results.store.written");
  // Release: pairs with the acquire in await_result() and is_settled(). From here on the slot is not ours any more.
  const std::uint32_t before = target->word.exchange(make_word(phase, place.generation), std::memory_order_seq_cst);
  WEIR_CRASH_POINT("results.store.published");
  if ((before & kResultSleeper) != 0) {
    sync::wake_sleepers(target->word, INT_MAX);
    WEIR_CRASH_POINT("results.store.woken");
  }
  return wanted;
}

void results_segment::retire() noexcept {
  for (std::uint32_t i = 0; i < block_count_; ++i) {
    result_block& unused = block(i);
    std::uint64_t nobody = 0;
    if (!unused.claim.compare_exchange_strong(nobody, kRetired, std::memory_order_acquire)) continue;
    WEIR_CRASH_POINT("results.retire.claimed");
    segment_.give_back(kResultBlocksOffset + i * stride_, std::min(unused.reserved.exchange(0), stride_));
    WEIR_CRASH_POINT("results.retire.given_back");
  }
}

answer results_segment::read(result_place place) const {
  const result_slot& from = slot(place.slot);
  answer found;
  found.phase = phase_of(from.word.load(std::memory_order_acquire));
  found.has_references = from.has_references != 0;
  // Each is read once: another process may write here, even if it should not.
  const std::uint64_t bytes = std::atomic_ref(const_cast<std::uint64_t&>(from.bytes)).load(std::memory_order_relaxed);
  const std::uint32_t lies = std::atomic_ref(const_cast<std::uint32_t&>(from.place)).load(std::memory_order_relaxed);
  const std::uint32_t in = std::atomic_ref(const_cast<std::uint32_t&>(from.block)).load(std::memory_order_relaxed);
  const auto nowhere = [&] {
    throw corrupt_segment(fmt::format("weir: read a call's result: slot {} of process {} says that {} bytes lie in {}",
                                      place.slot, owner(), bytes,
                                      lies == kInBlock ? fmt::format("block {}", in) : "it"));
  };
  switch (lies) {
    case kInSlot:
      if (bytes > kSmallResult) nowhere();
      found.bytes = std::span(from.small).first(bytes);
      break;
    case kInBlock:
      if (in >= block_count_ || bytes > std::min(block(in).reserved.load(std::memory_order_relaxed), stride_))
        nowhere();
      found.bytes = {block_bytes(in), bytes};
      break;
    default: {
      const auto* name = reinterpret_cast<const char*>(from.small);
      found.blob.emplace("read a call's result", std::string(name, ::strnlen(name, kSmallResult)), bytes);
      found.bytes = found.blob->bytes();
    }
  }
  return found;
}

bool is_settled(const session_table& table, const result_slot& slot, result_place place) noexcept {
  const std::uint32_t seen = slot.word.load(std::memory_order_acquire);
  return is_final(phase_of(seen)) || generation_of(seen) != place.generation || table.is_gone(slot.callee);
}

bool await_result(const session_table& table, process_id owner, result_slot& slot, result_place place,
                  detail::deadline until) {
  static thread_local sync::wait_estimate estimate;
  const auto is_there = [&](std::uint32_t seen) { return is_final(phase_of(seen)); };
  std::uint32_t seen = slot.word.load(std::memory_order_acquire);
  if (is_there(seen)) return true;
  if (until.has_passed()) return false;
  for (sync::patience patience(estimate); patience.pause();) {
    if (is_there(slot.word.load(std::memory_order_acquire))) {
      patience.paid();
      return true;
    }
  }

  sync::blocking_scope scope({.what = sync::wait_kind::result,
                              .number = slot.callee,
                              .process = slot.callee,
                              .owner = owner,
                              .slot = place.slot,
                              .generation = place.generation,
                              .until = until.when()});
  death_watch callee(table, slot.callee);
  for (;;) {
    seen = slot.word.load(std::memory_order_acquire);
    if (is_there(seen)) break;
    if (until.has_passed()) return false;
    if (const auto report = callee.ended()) {
      // What it stored before it ended counts.
      if (is_there(slot.word.load(std::memory_order_acquire))) break;
      throw make_worker_died("wait for a result", slot.callee, *report);
    }
    if ((seen & kResultSleeper) == 0 &&
        !slot.word.compare_exchange_strong(seen, seen | kResultSleeper, std::memory_order_seq_cst)) {
      continue;
    }
    WEIR_CRASH_POINT("results.await.marked");
    scope.about_to_sleep();
    sync::sleep_on(slot.word, make_word(result_phase::pending, place.generation) | kResultSleeper, until.when());
  }
  return true;
}

}  // namespace weir::runtime
