// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/member.hpp"
#include "runtime/team_layout.hpp"
#include "segment/segment.hpp"
#include "sync/patience.hpp"
#include "weir/detail/team_core.hpp"

namespace weir::runtime {

/// A team's segment, mapped and checked.
class team_segment {
 public:
  team_segment() = default;
  /// Throws no_space.
  static team_segment create(const std::string& name, std::span<const process_id> processes);
  /// Throws not_found, corrupt_segment, and as segment::open.
  static team_segment open(const std::string& name);

  [[nodiscard]] team_header& header() const noexcept { return *segment_.at<team_header>(kTeamHeaderOffset); }
  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }  // our copies: what is there may be damaged
  [[nodiscard]] std::size_t stretch_bytes() const noexcept { return stretch_bytes_; }
  [[nodiscard]] team_rank& rank(std::uint32_t index) const noexcept {
    return segment_.at<team_rank>(kTeamRanksOffset)[index];
  }
  [[nodiscard]] std::size_t stretch_offset(std::uint32_t rank, std::uint64_t sequence) const noexcept {
    return team_stretches_offset(size_) + (2 * std::size_t{rank} + sequence % 2) * stretch_bytes_;
  }
  [[nodiscard]] shm::segment& file() noexcept { return segment_; }
  [[nodiscard]] const shm::segment& file() const noexcept { return segment_; }
  /// The first one counts. Wakes all.
  void set_failed(team_failure how, std::uint32_t rank) const noexcept;

 private:
  shm::segment segment_;
  std::uint32_t size_ = 0;
  std::size_t stretch_bytes_ = 0;
};

[[nodiscard]] constexpr team_failure failure_in(std::uint32_t failed) noexcept {
  return static_cast<team_failure>(failed >> 16U);
}
[[nodiscard]] constexpr std::uint32_t rank_in(std::uint32_t failed) noexcept { return (failed & 0xffffU) - 1; }

/// "all_reduce<double>()", "broadcast<int>(root 1)"; "operation 77" for what there is not.
[[nodiscard]] std::string call_text(std::uint16_t operation, std::string_view type, std::uint32_t root);

}  // namespace weir::runtime

namespace weir::detail {

/// One rank, in its process: what weir::team refers to. One thread at a time.
class team_core {
 public:
  team_core(runtime::team_segment segment, std::uint32_t rank);
  team_core(const team_core&) = delete;
  team_core& operator=(const team_core&) = delete;
  ~team_core();

  [[nodiscard]] std::uint32_t rank() const noexcept { return rank_; }
  [[nodiscard]] std::uint32_t size() const noexcept { return segment_.size(); }
  [[nodiscard]] const runtime::team_segment& segment() const noexcept { return segment_; }

  /// Brings this rank's part and waits for the others. True: one of them has references.
  /// `value`: whose references are in the last part; null: there are none.
  bool meet(const team_call& call, std::span<const std::span<const std::byte>> parts, std::size_t bytes,
            std::uint64_t count, encoder* value);
  [[nodiscard]] contribution of(std::uint32_t rank) const;
  void end_reading() noexcept;

  [[noreturn]] void differs(const std::string& found);
  void send(std::uint32_t to, std::int64_t tag, const message_type& type, encoder& value);
  std::optional<received_message> receive(std::uint32_t from, std::int64_t tag, const message_type& type,
                                          deadline until);
  void leave();
  void fail(const std::exception_ptr& error) noexcept;

 private:
  struct stashed {
    runtime::team_message front;
    std::string type_name;
    received_message message;
  };
  /// Says what this rank sleeps in, while it lives.
  class asleep;

  [[nodiscard]] bool has_come(std::uint32_t rank) const noexcept;
  [[nodiscard]] bool all_have_come() const noexcept;
  std::byte* room_for(std::size_t bytes, const team_call& call);
  void write_type_name(const team_call& call) noexcept;
  void wait_for_all();
  void sleep_until_all();
  /// Throws if a rank that has not come never will.
  void check_missing(std::span<runtime::death_watch> watches);
  [[noreturn]] void throw_different_calls();
  [[nodiscard]] std::vector<runtime::death_watch> watch_all() const;
  [[noreturn]] void throw_failure(std::uint32_t failed, const std::string& operation) const;
  void set_reason(std::string_view reason) noexcept;
  void wait_for_readers();
  void take_back(std::vector<std::string>& pins) noexcept;

  [[nodiscard]] std::string call_of(std::uint32_t rank) const;

  const core_handle& inbox_of(std::uint32_t rank);
  /// Throws if the team has failed, or the other rank is dead or has returned. `operation`: "receive<int>(rank 1, tag 5)".
  void check_other(std::uint32_t other, runtime::death_watch& watch, const std::string& operation);
  void stash(const taken_item& item);
  void drain_inbox();
  std::optional<received_message> find_stashed(std::uint32_t from, std::int64_t tag, const message_type& type);

  runtime::team_segment segment_;
  const std::uint32_t rank_;
  runtime::team_rank& own_;
  std::shared_ptr<runtime::member> member_;
  std::uint64_t sequence_ = 0;  // of the last operation that this rank has brought its part to
  // One to two milliseconds: ranks that share out a step's work are some tenths of one apart, and a rank that sleeps leaves its CPU
  // to nobody but, in a virtual machine, other guests, from whom it comes back late.
  sync::wait_estimate estimate_{{.most = 40'000, .while_paying = 5'000, .least = 8}};
  std::array<std::size_t, 2> reserved_{};         // bytes of this rank's stretches that have memory
  std::array<std::vector<std::string>, 2> pins_;  // of what lies in them
  std::uint64_t pinned_in_ = 0;                   // the last operation to which this rank brought references
  bool has_reason_ = false;
  std::vector<core_handle> inboxes_;
  std::deque<stashed> stash_;
};

}  // namespace weir::detail
