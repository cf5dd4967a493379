// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "array/users.hpp"
#include "channel/users.hpp"
#include "segment/process_identity.hpp"
#include "segment/segment.hpp"

namespace weir::runtime {

/// A segment as it was found. Nothing was mapped, and no lock taken.
struct found_segment {
  std::string name;                              ///< without `weir.`
  std::uint64_t bytes = 0;                       ///< memory that it takes
  std::optional<shm::segment_look> look;         ///< nothing: it cannot be believed, or not be read
  std::optional<channels::channel_users> users;  ///< of a sound channel
  std::optional<arrays::array_users> holders;    ///< of a sound array
  bool is_foreign = false;                       ///< another user's
  std::string why;                               ///< without a look, or a channel's or array's users: what is wrong

  [[nodiscard]] bool is_sound() const noexcept {
    return look && (users || look->header->kind != shm::object_kind::channel) &&
           (holders || look->header->kind != shm::object_kind::array);
  }
};

/// The realm in the name of an unnamed object or of the runtime's own segment; empty: it is neither.
[[nodiscard]] std::string_view realm_in(std::string_view name) noexcept;

/// Whether anybody of a session lives: its control process, or a worker that has begun to serve.
struct session_life {
  shm::liveness life{};
  shm::process_identity who;  ///< one that lives or is unknown, or else the control process
};

/// All of weir's segments at about one time, and the sessions that they belong to.
class census {
 public:
  /// Those that go while it looks are left out. Throws std::bad_alloc.
  census();
  [[nodiscard]] const std::vector<found_segment>& segments() const noexcept { return segments_; }
  /// Nothing: the realm has no session's table (any more).
  [[nodiscard]] const session_life* session_of(std::string_view realm) const;

 private:
  void add(const std::string& name);
  std::vector<found_segment> segments_;
  std::map<std::string, session_life, std::less<>> sessions_;
};

}  // namespace weir::runtime
