// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/detail/channel_core.hpp"
#include "weir/detail/payload.hpp"
#include "weir/detail/session_core.hpp"
#include "weir/ids.hpp"

/// Teams without types: what weir::team and session.spmd stand on.
namespace weir::detail {

class team_core;  // lib/runtime/team_core.hpp: one rank, in its own process. One thread at a time
using team_handle = std::unique_ptr<team_core, void (*)(team_core*)>;

enum class collective : std::uint16_t {
  barrier = 1,
  broadcast,
  reduce,
  all_reduce,
  scatter,
  gather,
  all_gather,
  all_to_all
};
inline constexpr std::uint32_t kNoRoot = 0xffffffff;

/// What all ranks must agree on.
struct team_call {
  collective operation{};
  std::uint32_t root = kNoRoot;
  std::uint64_t type_hash = 0;
  std::string_view (*type_name)() = nullptr;  // null: the operation has no type
};

/// What a rank has brought. Valid until the meeting ends.
struct contribution {
  std::span<const std::byte> body;
  std::uint64_t count = 0;
};

/// One operation of all ranks: each brings something, and none goes on before all have. Waits. What the ranks have brought
/// can be read in place while this lives. Throws invalid_argument, on all ranks, if they do not make the same call (or one
/// has returned); worker_died if a rank's process is dead; weir::error if a rank has thrown; no_space, item_too_large.
class meeting {
 public:
  /// With nothing; with bytes; with a value of any kind. `count`: of elements, see contribution.
  meeting(team_core& core, const team_call& call);
  meeting(team_core& core, const team_call& call, std::span<const std::byte> bytes, std::uint64_t count = 0);
  meeting(team_core& core, const team_call& call, encoder& value, std::uint64_t count = 0);
  meeting(const meeting&) = delete;
  meeting& operator=(const meeting&) = delete;
  ~meeting() {
    if (has_references_) end_reading();
  }
  /// Throws corrupt_segment.
  [[nodiscard]] contribution of(std::uint32_t rank) const;

 private:
  void end_reading() noexcept;
  team_core& core_;
  bool has_references_ = false;
};

/// For what all ranks find alike from what they have brought: all throw this, and the team has failed.
[[noreturn]] void throw_team_differs(team_core& core, const std::string& found);
/// Throws invalid_argument if there is no such rank; here only.
void check_rank(const team_core& core, const char* operation, std::uint32_t rank);

[[nodiscard]] std::uint32_t rank_of(const team_core& core) noexcept;
[[nodiscard]] std::uint32_t size_of(const team_core& core) noexcept;
/// The process that runs a rank. Throws invalid_argument.
[[nodiscard]] process_id process_of(const team_core& core, std::uint32_t rank);

// ---- messages

struct message_type {
  std::uint64_t hash = 0;
  std::string_view name;
};
/// Waits while the receiver's inbox is full.
void send_to_rank(team_core& core, std::uint32_t to, std::int64_t tag, const message_type& type, encoder& value);

/// A message that has been received; its pins are taken back when it is destroyed.
class received_message {
 public:
  /// As it lies in the inbox, or a copy of it. `offset`: where the value begins.
  received_message(taken_item item, std::size_t offset) noexcept;
  received_message(std::vector<std::byte> copy, std::size_t offset, bool has_references) noexcept;
  received_message(received_message&& other) noexcept;
  received_message& operator=(received_message&&) = delete;
  ~received_message();
  /// Throws corrupt_segment.
  [[nodiscard]] std::span<const std::byte> body() const;

 private:
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return item_ ? item_.bytes() : copy_; }
  taken_item item_;
  std::vector<std::byte> copy_;
  std::size_t offset_;
  bool has_references_;
};
/// The oldest from that rank with that tag; nothing: none until then. Throws type_mismatch (the message stays there), and
/// as meeting. invalid_argument if that rank has returned and sent no such message.
[[nodiscard]] std::optional<received_message> receive_from_rank(team_core& core, std::uint32_t from, std::int64_t tag,
                                                                const message_type& type, deadline until);

// ---- a rank's life

/// By the process that runs it. Throws corrupt_segment, not_found.
[[nodiscard]] team_handle enter_team(const std::string& name, std::uint32_t rank);
/// f has returned: nothing is expected of this rank any more. May wait until the others have read what it has brought.
void leave_team(team_core& core);
/// f has thrown. The others are told.
void fail_team(team_core& core, const std::exception_ptr& error) noexcept;

/// A team as the control process makes it; goes with this.
class team_launch {
 public:
  /// Nothing listed: a team of one, this process. Throws no_space, invalid_argument.
  explicit team_launch(std::vector<process_id> processes);
  team_launch(const team_launch&) = delete;
  team_launch& operator=(const team_launch&) = delete;
  ~team_launch();
  [[nodiscard]] const std::string& name() const noexcept;
  /// That rank could not be started: the others are told that it is dead.
  void set_missing(std::size_t rank) const noexcept;
  /// The rank with which the failing of the team began.
  [[nodiscard]] std::optional<std::size_t> failed_first() const noexcept;

 private:
  struct implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace weir::detail
