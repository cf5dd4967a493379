// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "segment/header_layout.hpp"

/// The bytes of a process's results (segment `@REALM.results.ID`), layout 1. Offsets are from the segment's first byte.
///        0  shm::segment_header
///     4096  results_header
///     8192  block table   kResultBlocks entries of 64 B
///    12288  slots         kResultSlots of 256 B, sparse; slots below slots_ready have memory, others are not touched
///      ...  blocks        block_count stretches of block_bytes, sparse
/// A process that calls sets a slot aside for the answer; the process that is called stores the answer into it. Only the
/// process that owns the segment sets slots and blocks free, so that nothing there is freed twice.
namespace weir::runtime {

inline constexpr std::uint32_t kResultSlots = 1U << 18U;
inline constexpr std::uint32_t kResultBlocks = 64;
inline constexpr std::size_t kResultsHeaderOffset = shm::kPage;
inline constexpr std::size_t kBlockTableOffset = 2 * shm::kPage;
inline constexpr std::size_t kResultSlotsOffset = 3 * shm::kPage;

// A slot's 32-bit word, on which those who wait sleep: generation (28 bits) | somebody sleeps (1 bit) | phase (3 bits).
//
//   unused --owner--> pending(g) --callee--> ready(g), failed(g), passed_on(g) --owner, when nobody refers to it--> unused(g)
//                     pending(g) --owner, when nobody refers to it and the callee is gone--> unused(g)
// The sleeper's mark is set by whoever is about to sleep (compare-and-swap from pending) and goes with the phase.
// The final phases are stored by an exchange (release) after the answer; read with acquire by those who wait.
// A callee that dies before the exchange leaves pending, and maybe a block or a blob that bears slot and generation:
// the owner looks for both when it sets the slot free. A callee that dies after the exchange, before the wake-up, costs
// the sleepers one bounded sleep.
enum class result_phase : std::uint32_t {
  unused = 0,
  pending = 1,
  ready = 2,      // the answer is the function's value
  failed = 3,     // the answer describes what the function threw, on the callee
  passed_on = 4,  // the answer describes what another future threw, which this one throws too
};

inline constexpr std::uint32_t kPhaseMask = 7;
inline constexpr std::uint32_t kResultSleeper = 8;
inline constexpr std::uint32_t kGenerationShift = 4;
constexpr result_phase phase_of(std::uint32_t word) noexcept { return static_cast<result_phase>(word & kPhaseMask); }
constexpr std::uint32_t generation_of(std::uint32_t word) noexcept { return word >> kGenerationShift; }
constexpr std::uint32_t make_word(result_phase phase, std::uint32_t generation) noexcept {
  return (generation << kGenerationShift) | static_cast<std::uint32_t>(phase);
}
constexpr bool is_final(result_phase phase) noexcept {
  return phase == result_phase::ready || phase == result_phase::failed || phase == result_phase::passed_on;
}

inline constexpr std::uint32_t kInSlot = 0;   // the answer lies in `small`
inline constexpr std::uint32_t kInBlock = 1;  // in block `block`
inline constexpr std::uint32_t kInBlob = 2;   // in the segment whose name lies in `small`
inline constexpr std::size_t kSmallResult = 224;

// byte  field            who writes it, and under what
//    0  word             see above
//    4  references       futures, in all processes, and futures under way; whoever makes, sends or drops one. A process
//                        that dies with references to another's slot leaves them: the slot stays until the session ends
//    8  callee           the owner, before pending
//   12  place            the callee, before a final phase: kInSlot, kInBlock, kInBlob
//   16  bytes            likewise: length of the answer
//   24  block            likewise
//   28  has_references   likewise: the answer holds handles
//   32  small            likewise
struct result_slot {
  std::atomic<std::uint32_t> word;
  std::atomic<std::uint32_t> references;
  std::uint32_t callee;
  std::uint32_t place;
  std::uint64_t bytes;
  std::uint32_t block;
  std::uint32_t has_references;
  std::byte small[kSmallResult];
};
static_assert(std::is_standard_layout_v<result_slot> && std::is_trivially_destructible_v<result_slot>);
static_assert(offsetof(result_slot, references) == 4 && offsetof(result_slot, callee) == 8);
static_assert(offsetof(result_slot, bytes) == 16 && offsetof(result_slot, block) == 24);
static_assert(offsetof(result_slot, small) == 32 && sizeof(result_slot) == 256);

// byte 0 claim: 0 free, else generation << 32 | slot + 1; callee by compare-and-swap from 0, back to 0 by the owner.
//        kRetired: the owner has ended, and nobody may use it again; the control process, from 0
//      8 reserved: bytes of the stretch that have memory; the claimer after reserving, the owner when it gives some back
// A claimer that dies leaves its claim: see above.
struct result_block {
  std::atomic<std::uint64_t> claim;
  std::atomic<std::uint64_t> reserved;
  std::uint64_t unused[6];
};
static_assert(sizeof(result_block) == 64 && kResultBlocks * sizeof(result_block) <= shm::kPage);
inline constexpr std::uint64_t kRetired = ~std::uint64_t{0};
constexpr std::uint64_t make_claim(std::uint32_t slot, std::uint32_t generation) noexcept {
  return (std::uint64_t{generation} << 32U) | (slot + 1);
}

// byte 0 block_bytes, 8 block_count: the creator, before the magic; constant
//     12 slots_ready: the owner, after the memory is there; only grows
struct results_header {
  std::uint64_t block_bytes;
  std::uint32_t block_count;
  std::atomic<std::uint32_t> slots_ready;
};
static_assert(offsetof(results_header, block_count) == 8 && offsetof(results_header, slots_ready) == 12);

inline constexpr std::size_t kResultBlocksOffset = kResultSlotsOffset + kResultSlots * sizeof(result_slot);
static_assert(kResultBlocksOffset % shm::kPage == 0);

}  // namespace weir::runtime
