// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "channel/channel_layout.hpp"
#include "inspect/report.hpp"
#include "inspect/segments.hpp"

namespace weir::inspect {

[[nodiscard]] const char* text_of(channels::phase phase) noexcept;
[[nodiscard]] const char* text_of(channels::block_phase phase) noexcept;
[[nodiscard]] const char* text_of(channels::view_phase phase) noexcept;
[[nodiscard]] const char* text_of(channels::waits_for what) noexcept;
[[nodiscard]] const char* text_of(channels::closing closed) noexcept;

inline constexpr std::size_t kSlotPhases = static_cast<std::size_t>(channels::phase::viewing) + 1;
inline constexpr std::size_t kBlockPhases = static_cast<std::size_t>(channels::block_phase::orphan) + 1;

/// An attached process. `entry` is what slots and blocks call it.
struct participant_report {
  std::uint32_t entry = 0;
  shm::process_identity who;
  shm::liveness life{};
  process_id process = 0;
  std::int64_t attached_ns = 0;  ///< real-time clock
};

/// A thread that sleeps in an operation.
struct waiter_report {
  std::uint32_t entry = 0;
  channels::waits_for what{};
  std::uint32_t participant = 0;
  std::int32_t pid = 0;  ///< 0: the participant is not in use
  shm::liveness life{};
  std::int32_t thread = 0;
  std::int64_t since_ns = 0;  ///< monotonic clock, as until_ns
  std::int64_t until_ns = 0;  ///< 0: no end
};

/// `whole`: state and item were seen together; false while they change too fast, and then only `index` means anything.
struct slot_report {
  std::uint64_t index = 0;
  bool whole = false;
  std::uint64_t turn = 0;
  channels::phase phase{};
  std::uint32_t owner = 0;  ///< participant; 0: nobody
  std::int32_t pid = 0;     ///< of the owner
  std::uint64_t ticket = 0;
  bool has_item = false;  ///< full, reading, orphan, and moving as long as the next slot does not have the item
  std::optional<std::uint32_t> block;  ///< of these: the block that holds the item
  std::uint64_t bytes = 0;             ///< of these: length of the item
};

/// An item that is read in a slot, which may have taken on other items since.
struct view_report {
  std::uint64_t slot = 0;
  channels::view_phase phase{};
  std::uint32_t owner = 0;
  std::int32_t pid = 0;
  std::uint64_t bytes = 0;
  std::uint64_t ticket = 0;
};

struct block_report {
  std::uint32_t index = 0;
  bool whole = false;
  channels::block_phase phase{};
  std::uint32_t owner = 0;
  std::int32_t pid = 0;
  std::uint64_t bytes = 0;
  std::uint64_t reserved = 0;
  std::uint64_t ticket = 0;
};

struct lock_report {
  bool held = false;
  bool owner_died = false;  ///< the next to lock it is told, and repairs
  bool contended = false;   ///< somebody waits for it, or did
  bool damaged = false;     ///< its holder was told of a death and has not repaired yet
  bool unusable = false;    ///< not a mutex that weir made, or given up for good
  std::int32_t thread = 0;  ///< of the holder, or the one that died; 0: nobody, or not known
  std::int32_t pid = 0;     ///< its process; 0: not known
  shm::liveness life{};     ///< of that thread
};

struct binding_report {
  shm::process_identity who;
  shm::liveness life{};
  process_id process = 0;
  bool host = false;  ///< the channel lives with it; else: close_when_gone
};

struct channel_report {
  segment_report segment;
  /// False: it is not a sound channel (segment.state and segment.why say why), and nothing below means anything.
  bool readable = false;

  channels::channel_geometry geometry;
  std::uint64_t max_item_bytes = 0;
  std::uint64_t idle_block_bytes = 0;

  channels::closing closed{};
  std::string close_reason;

  /// Two looks in a row found the same: all of what follows was so at one instant.
  bool settled = false;
  std::uint64_t tail = 0;  ///< tickets claimed by putters, as the slots show
  std::uint64_t head = 0;  ///< tickets claimed by takers
  std::uint64_t tail_hint = 0;
  std::uint64_t head_hint = 0;
  std::array<std::uint64_t, kSlotPhases> slots_in{};    ///< number of slots in each phase
  std::array<std::uint64_t, kBlockPhases> blocks_in{};  ///< number of blocks in each phase
  std::uint32_t orphans = 0;                            ///< as the header counts them
  std::int32_t pins = 0;
  std::uint32_t takers_asleep = 0;  ///< as the header counts them, likewise the next two
  std::uint32_t putters_asleep = 0;
  std::uint32_t block_waiters_asleep = 0;
  lock_report lock;
  std::vector<participant_report> participants;
  std::vector<waiter_report> waiters;
  std::vector<binding_report> bindings;
  std::vector<slot_report> slots;
  std::vector<view_report> views;  ///< those that could be seen whole
  std::vector<block_report> blocks;

  /// What contradicts itself, a sentence each. Empty while no operation is under way, and while they are, too, unless
  /// something is wrong: the dead are in somebody's way, something is lost, or the bytes cannot be.
  std::vector<std::string> problems;
};

/// How hard to look. quick: once, without problems; what changes meanwhile may be seen half old, half new.
enum class effort { quick, thorough };

/// Name without `weir.`. Bounded in time and memory by the capacity, whatever the bytes say.
[[nodiscard]] channel_report describe_channel(std::string_view name, effort how = effort::thorough);
[[nodiscard]] channel_report describe_channel(checked_segment checked, effort how = effort::thorough);

}  // namespace weir::inspect
