// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/session_layout.hpp"
#include "segment/segment.hpp"
#include "weir/error.hpp"
#include "weir/ids.hpp"

namespace weir::runtime {

/// The session's table of processes, mapped in this process. Members may be called by any thread at any time; none waits.
class session_table {
 public:
  /// By the control process; makes its own entry too. Throws no_space, already_exists.
  static session_table create();
  /// By a worker. Throws not_found if the session is over, and as segment::open.
  static session_table attach();

  [[nodiscard]] session_header& header() const noexcept { return *segment_->at<session_header>(kSessionHeaderOffset); }
  /// Null for an id that no process of the session ever had, and for one whose entry another has taken over since:
  /// `was_used` tells the two apart.
  [[nodiscard]] process_entry* find(process_id id) const noexcept;
  [[nodiscard]] bool was_used(process_id id) const noexcept;
  /// The control process, as the header of the segment names it.
  [[nodiscard]] const shm::process_identity& control() const noexcept { return segment_->header().creator; }
  [[nodiscard]] bool is_gone(process_id id) const noexcept;
  /// How it ended; nothing is set if it is not gone, or its entry has been taken over.
  [[nodiscard]] exit_report report_of(process_id id) const noexcept;

  /// Control only, one thread at a time: takes the next id and its entry, and marks it as starting.
  /// Throws no_space, invalid_argument (all entries are in use).
  process_id add_process(std::uint32_t concurrency);
  /// Control only: marks it as gone and wakes whoever waits for it.
  void set_gone(process_id id, exit_kind how, int value) noexcept;
  /// In the process itself: marks it as running.
  void set_running(process_id id);
  /// What the threads of a process that has an entry run and wait for. Valid beyond the table's life.
  [[nodiscard]] std::shared_ptr<live_record> live(process_id id) const noexcept {
    return {segment_, segment_->at<live_record>(live_offset(id))};
  }
  [[nodiscard]] std::shared_ptr<sync::wait_table> waits_of(process_id id) const noexcept {
    return {segment_, &segment_->at<live_record>(live_offset(id))->waits};
  }
  /// Wakes those who sleep until some result is there.
  void signal_completion() noexcept { header().completions.signal(); }

  void remove() noexcept { segment_->remove_own_name(); }

 private:
  [[nodiscard]] process_entry& entry_at(process_id id) const noexcept {
    return segment_->at<process_entry>(kEntriesOffset)[id % kEntries];
  }
  void reserve_entry(process_id id);

  std::shared_ptr<shm::segment> segment_ = std::make_shared<shm::segment>();  // shared with live records
};

/// Tells whether a process that is waited for has ended. For the time between its death and the control process's word
/// on it: then its end is seen here first, and how it ended is waited for, but not for long.
class death_watch {
 public:
  death_watch(const session_table& table, process_id id) noexcept : table_(table), id_(id) {}
  /// Nothing while it lives. To be asked before each bounded sleep: from the second on it looks at the process itself
  /// (a file in /proc).
  std::optional<exit_report> ended();

 private:
  static constexpr std::chrono::milliseconds kLookAfter{90};  // less than a bounded sleep
  static constexpr std::chrono::milliseconds kWaitForReport{500};
  using clock = std::chrono::steady_clock;
  const session_table& table_;
  process_id id_;
  std::optional<clock::time_point> last_look_;  // or the first question
  std::optional<clock::time_point> seen_dead_;
};

/// The error that a caller of a gone process gets: "weir: <operation>: worker 2 <how it ended>".
[[nodiscard]] worker_died make_worker_died(std::string_view operation, process_id id, const exit_report& report);

}  // namespace weir::runtime
