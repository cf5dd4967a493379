// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "segment/process_identity.hpp"

namespace weir::shm {

/// What lies in a segment. Zero is never written, so that a zeroed header is no object.
enum class object_kind : std::uint32_t {
  channel = 1,
  array = 2,
  session = 3,
  results = 4,
  blob = 5,
  team = 6,
  trace = 7
};

inline constexpr std::uint64_t kMagic = 0x31726965'77726965;  // "eirweir1" in memory order
inline constexpr std::uint32_t kLayout = 6;                   // raise it when any *_layout.hpp changes
inline constexpr std::size_t kPage = 4096;

// The header that every segment begins with, layout 1. Host byte order, fixed-width fields, no pointers.
// The creator writes all of it while the file has no name yet (see segment.hpp), magic last; but for `removed` nothing
// in it changes afterwards. A creator that dies before it has linked the file to its name leaves nothing behind.
// byte  field            meaning
//    0  magic            kMagic; last store of create(), release; open() loads it with acquire
//    8  layout           kLayout
//   12  kind             object_kind
//   16  file_bytes       length of the file
//   24  creator          process that made it
//   40  created_ns       when, nanoseconds of the real-time clock
//   48  realm            12 hexadecimal digits, NUL; the realm of the creator
//   64  where            process id it lives with
//   68  whence           process id of the creator
//   72  id               the creator's running number; 0 for the runtime's own segments
//   80  named            1: lives until its name is removed; 0: until nobody holds it
//   84  removed          1: its name is gone, or going; set once, by whoever removes it, before the unlink. Not attached to
//                        any more. Dying between the two leaves a file that nobody attaches to; the sweep removes it.
//   88  type_hash        of the full type name (0: no type)
//   96  name_bytes, 100 type_bytes   lengths in the two fields below
//  104  item_kind, 108 fixed_bytes, 112 element_bytes, 116 element_name_offset (in type; 0: none), 120 element_name_bytes
//  256  name             without `weir.`, NUL-padded
//  512  type             type name, cut at 3,584 bytes, NUL-padded
// 4096  what the kind defines
struct segment_header {
  std::atomic<std::uint64_t> magic;
  std::uint32_t layout;
  object_kind kind;
  std::uint64_t file_bytes;
  process_identity creator;
  std::int64_t created_ns;
  char realm[16];
  std::uint32_t where;
  std::uint32_t whence;
  std::uint64_t id;
  std::uint32_t named;
  std::atomic<std::uint32_t> removed;
  std::uint64_t type_hash;
  std::uint32_t name_bytes;
  std::uint32_t type_bytes;
  std::uint32_t item_kind;
  std::uint32_t fixed_bytes;
  std::uint32_t element_bytes;
  std::uint32_t element_name_offset;
  std::uint32_t element_name_bytes;
  char reserved[132];
  char name[256];
  char type[3584];
};
static_assert(std::is_standard_layout_v<segment_header> && std::is_trivially_destructible_v<segment_header>);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<std::uint32_t>::is_always_lock_free);
static_assert(offsetof(segment_header, layout) == 8 && offsetof(segment_header, kind) == 12);
static_assert(offsetof(segment_header, file_bytes) == 16 && offsetof(segment_header, creator) == 24);
static_assert(offsetof(segment_header, created_ns) == 40 && offsetof(segment_header, realm) == 48);
static_assert(offsetof(segment_header, where) == 64 && offsetof(segment_header, whence) == 68);
static_assert(offsetof(segment_header, id) == 72 && offsetof(segment_header, named) == 80);
static_assert(offsetof(segment_header, removed) == 84 && offsetof(segment_header, type_hash) == 88);
static_assert(offsetof(segment_header, name_bytes) == 96 && offsetof(segment_header, type_bytes) == 100);
static_assert(offsetof(segment_header, item_kind) == 104 && offsetof(segment_header, element_name_bytes) == 120);
static_assert(offsetof(segment_header, name) == 256 && offsetof(segment_header, type) == 512);
static_assert(sizeof(segment_header) == kPage);

}  // namespace weir::shm
