// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "segment/header_layout.hpp"
#include "segment/process_identity.hpp"
#include "weir/detail/item_type.hpp"
#include "weir/ids.hpp"

/// What a look at a segment from outside finds. The inspector opens files read-only and reads them with pread(2): it maps
/// nothing, so neither a truncated file nor a hole in one can hurt, it takes no lock, and no process notices it.
/// What it says may be stale when it is read; nothing in it is from a file that another user owns.
namespace weir::inspect {

enum class segment_state {
  absent,        ///< nothing has that name (any more)
  alive,         ///< a living process holds it, or the session that it belongs to lives
  idle,          ///< named by a user, and nobody has it open: it stays until it is removed
  stale,         ///< only dead processes held it
  unknown,       ///< whoever holds it lives in another pid namespace and cannot be seen from here
  foreign,       ///< another user's; not read
  other_layout,  ///< made by a weir whose bytes mean something else
  corrupt,       ///< not what weir writes
};
/// "alive", "other layout", …
[[nodiscard]] const char* text_of(segment_state state) noexcept;
/// stale, other_layout and corrupt: what somebody should do something about.
[[nodiscard]] bool is_problem(segment_state state) noexcept;

[[nodiscard]] const char* text_of(shm::liveness life) noexcept;
[[nodiscard]] const char* text_of(shm::object_kind kind) noexcept;

/// The common header of a segment, once it has been checked.
struct header_report {
  shm::object_kind kind{};
  std::string type;  ///< type of the items or elements; empty for the runtime's own segments
  detail::item_kind item_kind{};
  std::uint32_t fixed_bytes = 0;
  std::uint32_t element_bytes = 0;  ///< of items that are sequences, and of arrays
  std::string element_name;         ///< likewise
  bool named = false;
  process_id where = 0;
  process_id whence = 0;
  std::uint64_t id = 0;
  std::string realm;
  shm::process_identity creator;
  shm::liveness creator_life{};
  std::int64_t created_ns = 0;  ///< real-time clock
};

struct segment_report {
  std::string name;  ///< without `weir.`
  segment_state state = segment_state::absent;
  std::string why;  ///< of a state that is not alive, in a few words; empty otherwise
  std::uint32_t owner = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t reserved_bytes = 0;         ///< memory that it takes
  std::optional<std::uint64_t> used_bytes;  ///< of these, bytes of the items inside
  std::optional<std::uint64_t>
      items;  ///< channel: items inside; array: elements; session: workers that run; team: ranks at work
  std::optional<std::uint64_t> capacity;  ///< channel; team: ranks
  std::optional<header_report> header;    ///< nothing: foreign, or not to be believed
};

}  // namespace weir::inspect
