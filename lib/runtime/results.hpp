// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/blob.hpp"
#include "runtime/results_layout.hpp"
#include "runtime/session_table.hpp"
#include "segment/segment.hpp"
#include "weir/detail/channel_core.hpp"
#include "weir/ids.hpp"

/// Answers to calls. The caller sets a slot of its own results segment aside, the callee stores the answer there, and
/// any process that holds a future for it reads it in place.
namespace weir::runtime {

/// Names one answer: a slot of a results segment and how often it has been used.
struct result_place {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
};

/// A finished answer, in place. Valid while a future refers to it, and this lives.
struct answer {
  result_phase phase = result_phase::ready;
  bool has_references = false;
  std::span<const std::byte> bytes;
  std::optional<mapped_blob> blob;
};

/// A process's results segment, mapped here. Members may be called by any thread.
class results_segment {
 public:
  /// Throws no_space, already_exists.
  static std::shared_ptr<results_segment> create(process_id owner);
  /// Throws not_found, corrupt_segment, and as segment::open.
  static std::shared_ptr<results_segment> attach(process_id owner);

  [[nodiscard]] process_id owner() const noexcept { return segment_.header().where; }
  /// Null if the segment has no such slot.
  [[nodiscard]] result_slot* find(std::uint32_t index) const noexcept;
  [[nodiscard]] result_slot& slot(std::uint32_t index) const noexcept;

  /// Stores an answer and wakes those who wait for it; for a place that is not pending any more (the caller has gone)
  /// nothing. False: nobody refers to it, and its bytes were not stored. Throws no_space; nothing is stored then.
  bool store(result_place place, result_phase phase, const detail::payload& bytes);
  /// By the control process, when the owner has ended: gives back the memory of blocks that hold no answer. What is
  /// stored from now on has segments of its own.
  void retire() noexcept;
  /// The answer in a slot that is final. Throws corrupt_segment if it lies nowhere.
  [[nodiscard]] answer read(result_place place) const;

 private:
  friend class own_results;
  [[nodiscard]] results_header& header() const noexcept { return *segment_.at<results_header>(kResultsHeaderOffset); }
  [[nodiscard]] result_block& block(std::uint32_t index) const noexcept {
    return segment_.at<result_block>(kBlockTableOffset)[index];
  }
  [[nodiscard]] std::byte* block_bytes(std::uint32_t index) const noexcept {
    return segment_.base() + kResultBlocksOffset + index * stride_;
  }
  std::optional<std::uint32_t> claim_block(result_place place, std::size_t bytes);
  void reserve_block(std::uint32_t index, std::size_t bytes);
  [[nodiscard]] std::string blob_name(result_place place) const;

  shm::segment segment_;
  // As they were when it was made or found right; the header may be damaged later.
  std::uint64_t stride_ = 0;
  std::uint32_t block_count_ = 0;
};

/// What only the owner of a results segment does: setting slots aside and free. Members may be called by any thread.
class own_results {
 public:
  /// Throws no_space.
  own_results(session_table& table, process_id owner);
  [[nodiscard]] const std::shared_ptr<results_segment>& segment() const noexcept { return segment_; }
  /// Sets a slot aside, with one reference. Throws no_space (shared memory is full, or all slots are in use).
  result_place set_aside(process_id callee);
  /// To be called once for each set_aside(), when this process has dropped the reference that it gave: the slot is free
  /// as soon as nobody refers to it and nobody will write to it.
  void let_go(std::uint32_t slot) noexcept;
  /// Wakes those who wait for answers of a process that has ended; others find out at the end of a bounded sleep.
  void wake_waiters_for(process_id callee) noexcept;

 private:
  static constexpr std::uint32_t kSlotsAtOnce = 4 * shm::kPage / sizeof(result_slot);
  static constexpr std::size_t kLookAgainAfter = 64;
  static constexpr std::size_t kKeptBlockBytes = std::size_t{16} << 20U;

  bool set_free(std::uint32_t index) noexcept;
  void free_block(std::uint32_t index) noexcept;
  void look_at_lingering() noexcept;
  void add_slots();

  session_table& table_;
  std::shared_ptr<results_segment> segment_;
  std::mutex mutex_;  // guards what follows
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> lingering_;  // let go, but still referred to, or still to be written
  std::size_t look_at_ = kLookAgainAfter;
};

/// Waits until the answer is there. False: not until `until`. Throws worker_died if it will never come.
bool await_result(const session_table& table, process_id owner, result_slot& slot, result_place place,
                  detail::deadline until);

/// True if get() would not wait: the answer is there, or the callee is gone.
[[nodiscard]] bool is_settled(const session_table& table, const result_slot& slot, result_place place) noexcept;

}  // namespace weir::runtime
