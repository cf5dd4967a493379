// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "segment/header_layout.hpp"
#include "segment/process_identity.hpp"
#include "sync/shared_event.hpp"

/// The bytes of a team (segment `@REALM.team.N`), layout 1. Offsets are from the segment's first byte.
///      0  shm::segment_header   its creator is the control process
///   4096  team_header
///   8192  team_rank records     2,048 B each; they and all before them have memory from the start
///   then, from a page's begin:  two stretches for each rank, rank 0's first, `stretch_bytes` each, sparse
namespace weir::runtime {

inline constexpr std::size_t kTeamHeaderOffset = shm::kPage;
inline constexpr std::size_t kTeamRanksOffset = 2 * shm::kPage;
inline constexpr std::uint32_t kMostRanks = 4096;
inline constexpr std::size_t kMostStretchBytes = std::size_t{4} << 30U;

/// How a team has failed, in the upper half of team_header::failed; 1 + a rank in the lower half.
enum class team_failure : std::uint32_t {
  none = 0,
  threw = 1,    // that rank let an exception pass; its record says which
  differs = 2,  // that rank found that the ranks do not do the same; its record says what it found
  died = 3,     // the process of that rank is dead
};

// byte  field          who writes it, and under what
//    0  size, 4 unused, 8 stretch_bytes   the creator
//   64  event          woken when a rendezvous is complete, a rank leaves or fails; whoever sees or does that
//   68  failed         0, then once, by compare and swap, how and whose rank (team_failure): the first failure counts.
//                      A rank's text is written before. Read by every rank at every operation
// Ranks that die leave `failed` to those who see that they are dead. Nothing here is repaired: a team that has failed ends.
struct team_header {
  std::uint32_t size;
  std::uint32_t unused0;
  std::uint64_t stretch_bytes;
  std::uint64_t unused1[6];
  alignas(64) sync::shared_event event;
  std::atomic<std::uint32_t> failed;
  std::uint32_t unused2[14];
};
static_assert(std::is_standard_layout_v<team_header> && std::is_trivially_destructible_v<team_header>);
static_assert(offsetof(team_header, stretch_bytes) == 8 && offsetof(team_header, event) == 64);
static_assert(offsetof(team_header, failed) == 68 && sizeof(team_header) == 128);

inline constexpr std::size_t kInlinePayload = 464;
inline constexpr std::uint16_t kHasReferences = 1;

// What a rank brings to its operation number n, which is in slot n % 2, layout 1. Written by the rank alone, `sequence` last.
// It is written anew for n + 2, after everybody has entered n + 1 and so has done with n.
// byte  field       meaning
//    0  sequence    n; stored with release, read with acquire. A rank that dies before has brought nothing: nobody reads the rest
//    8  type_hash   of the type that it was called with; 0: it has none
//   16  operation   detail::collective; 18 flags: kHasReferences, the body is followed by a list of references;
//   20  root        detail::kNoRoot: the operation has none
//   24  bytes       length of the payload: here up to kInlinePayload, else in the rank's stretch n % 2
//   32  count       elements of a range; 0 of what is none
//   48  payload
struct team_slot {
  alignas(64) std::atomic<std::uint64_t> sequence;
  std::uint64_t type_hash;
  std::uint16_t operation;
  std::uint16_t flags;
  std::uint32_t root;
  std::uint64_t bytes;
  std::uint64_t count;
  std::uint64_t unused;
  std::byte payload[kInlinePayload];
};
static_assert(std::is_standard_layout_v<team_slot> && std::is_trivially_destructible_v<team_slot>);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(offsetof(team_slot, type_hash) == 8 && offsetof(team_slot, operation) == 16);
static_assert(offsetof(team_slot, flags) == 18 && offsetof(team_slot, root) == 20 && offsetof(team_slot, bytes) == 24);
static_assert(offsetof(team_slot, count) == 32 && offsetof(team_slot, payload) == 48 && sizeof(team_slot) == 512);

//   absent --the rank, once its process is named--> entered --the rank, f has returned--> left
//                                                   entered --the rank, f has thrown--> failed
// A rank that is killed stays as it was.
enum class rank_state : std::uint32_t { absent = 0, entered = 1, left = 2, failed = 3 };

/// What a rank sleeps in, for people.
enum class rank_waits : std::uint32_t { nothing = 0, operation = 1, receive = 2, send = 3, others_to_read = 4 };

inline constexpr std::size_t kReasonBytes = 448;
inline constexpr std::size_t kTypeNameBytes = 128;

// byte  field        who writes it, and under what
//    0  state        the rank; see above. Stored with release, read with acquire
//    4  process      the creator: id of the process
//    8  who          the rank, before `entered`
//   24  waits        the rank: before it sleeps, and 0 afterwards
//   28  waits_for    the rank: whose message, or whose room for one, it waits for; 32 waits_tag the message's tag
//   40  read_done    the rank: number of its last operation whose payloads had references and which it has read;
//                    stored with release: those who brought them take their pins back then
//   48  has_inbox    whoever makes the rank's inbox, before: the creator of the team is to remove it at the end
//   64  reason       the rank, before it sets team_header::failed: what was thrown or found; NUL-padded, 0 at the end
//  512  names        the rank, before the sequence of the same slot: the type's name, NUL-padded; kept while the slot's
//                    type_hash is the same
//  768  unused
// 1024  slots
struct team_rank {
  alignas(64) std::atomic<rank_state> state;
  std::uint32_t process;
  shm::process_identity who;
  std::atomic<rank_waits> waits;
  std::atomic<std::uint32_t> waits_for;
  std::atomic<std::int64_t> waits_tag;
  std::atomic<std::uint64_t> read_done;
  std::atomic<std::uint32_t> has_inbox;
  std::uint32_t unused0[3];
  char reason[kReasonBytes];
  char names[2][kTypeNameBytes];
  std::byte unused1[256];
  team_slot slots[2];
};
static_assert(std::is_standard_layout_v<team_rank> && std::is_trivially_destructible_v<team_rank>);
static_assert(offsetof(team_rank, process) == 4 && offsetof(team_rank, who) == 8 && offsetof(team_rank, waits) == 24);
static_assert(offsetof(team_rank, waits_tag) == 32 && offsetof(team_rank, read_done) == 40);
static_assert(offsetof(team_rank, has_inbox) == 48 && offsetof(team_rank, reason) == 64);
static_assert(offsetof(team_rank, names) == 512 && offsetof(team_rank, slots) == 1024 && sizeof(team_rank) == 2048);

/// Where the stretches begin, and the length of the file.
[[nodiscard]] constexpr std::size_t team_stretches_offset(std::uint32_t size) noexcept {
  return (kTeamRanksOffset + size * sizeof(team_rank) + shm::kPage - 1) / shm::kPage * shm::kPage;
}
[[nodiscard]] constexpr std::size_t team_file_bytes(std::uint32_t size, std::uint64_t stretch_bytes) noexcept {
  return team_stretches_offset(size) + 2 * size * stretch_bytes;
}
/// What a header may say: nothing else is a team.
[[nodiscard]] constexpr bool is_team_geometry(std::uint32_t size, std::uint64_t stretch_bytes,
                                              std::uint64_t file_bytes) noexcept {
  return size != 0 && size <= kMostRanks && stretch_bytes != 0 && stretch_bytes <= kMostStretchBytes &&
         stretch_bytes % shm::kPage == 0 && team_file_bytes(size, stretch_bytes) == file_bytes;
}

// What lies in an inbox, before the name of the message's type, zeros up to a multiple of 16, and the value, layout 1.
// Written by the sender before it puts the message; nobody changes it afterwards.
// byte  0 from (rank), 4 name_bytes, 8 tag, 16 type_hash, 24 unused
struct team_message {
  std::uint32_t from = 0;
  std::uint32_t name_bytes = 0;
  std::int64_t tag = 0;
  std::uint64_t type_hash = 0;
  std::uint64_t unused = 0;
};
static_assert(std::is_trivially_copyable_v<team_message> && std::is_standard_layout_v<team_message>);
static_assert(offsetof(team_message, tag) == 8 && offsetof(team_message, type_hash) == 16);
static_assert(sizeof(team_message) == 32);

}  // namespace weir::runtime
