// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "support/clock.hpp"
#include "support/histogram.hpp"
#include "support/payload.hpp"

namespace bench {

/// What is to be measured: the command line, as all processes of a run see it.
struct plan {
  std::uint64_t bytes = 8;  // of an item
  double seconds = 0.2;     // of the timed part
  std::uint32_t putters = 1;
  std::uint32_t takers = 1;
  std::uint32_t pairs = 1;
  std::uint32_t ranks = 2;           // processes of a team
  std::uint64_t order = 1000;        // of a square grid or matrix
  std::int64_t pause_ns = 0;         // before each item, where the question has pauses
  std::uint32_t items_in_queue = 0;  // 0: as capacity() says
  std::array<int, 2> cpus{};
  bool spin = true;      // look again at once, where the transport can; otherwise sleep until there is something
  bool buckets = false;  // print the histogram
  std::array<char, 16> way{};
  std::array<char, 32> name{};  // that no other run has; for queues with names

  [[nodiscard]] std::size_t words() const noexcept { return bytes / sizeof(std::uint64_t); }
  /// How many items a queue holds, as far as the transport lets one choose: 256 or 4 MiB, whichever is less, at least 2.
  [[nodiscard]] std::size_t capacity() const noexcept {
    constexpr std::size_t kBytesInFlight = std::size_t{4} << 20U;
    return items_in_queue != 0 ? items_in_queue : std::clamp<std::size_t>(kBytesInFlight / bytes, 2, 256);
  }
  [[nodiscard]] std::string queue_name(std::size_t queue) const {
    return std::string(name.data()) + '.' + std::to_string(queue);
  }
  [[nodiscard]] std::string_view way_name() const noexcept { return way.data(); }
};

/// What one process has found.
struct member_report {
  histogram latencies;
  tally sent;  // all items, those of the warm-up too
  tally received;
  // The timed part. Rates are those of the processes that fill in `items`.
  std::uint64_t items = 0;
  nanoseconds begin{};
  nanoseconds end{};
  double median_ns = 0;  // of an item, where it is not a histogram's affair: those are 3 % wide
  nanoseconds first{};   // how long the first took, where that is another question
  // CPU time, and the messages that it was spent on; side 0 puts, side 1 takes. What both sides use for a message adds up.
  nanoseconds cpu{};
  std::uint64_t cpu_messages = 0;
  std::uint32_t side = 0;
};

/// A small piece of memory that all processes of a run share: the plan, the reports, a few bytes for the transports. It
/// has no name (a memfd, opened through /proc), so nothing is left of it however a run ends.
class board {
 public:
  static constexpr std::size_t kMaxMembers = 10;
  static constexpr std::size_t kMaxQueues = 8;
  static constexpr std::size_t kStages = 4;
  static constexpr std::size_t kAreaBytes = std::size_t{1} << 16U;

  board(const plan& plan, std::size_t members, std::size_t queues);  // makes one
  explicit board(const std::string& path);                           // of another process
  board(const board&) = delete;
  board& operator=(const board&) = delete;
  ~board();

  /// For processes that do not inherit it. Works while the process that made it lives.
  [[nodiscard]] std::string path() const;
  [[nodiscard]] const bench::plan& plan() const noexcept { return shared_->plan; }
  [[nodiscard]] member_report& report(std::size_t rank) noexcept { return shared_->reports.at(rank); }
  [[nodiscard]] std::size_t members() const noexcept { return shared_->members; }
  [[nodiscard]] std::size_t queues() const noexcept { return shared_->queues; }

  /// Waits until all have come to this stage. Throws if one of them has failed.
  void arrive(std::size_t stage);
  /// Keeps the first text. Any process, any time.
  void fail(std::string_view text) noexcept;
  [[nodiscard]] std::string failure() const;

  /// For transports: zero at first, at the same place in no two processes.
  [[nodiscard]] std::byte* area() noexcept { return shared_->area.data(); }
  /// For transports: file descriptors that forked members inherit.
  [[nodiscard]] std::array<int, 2>& descriptors(std::size_t queue) noexcept { return shared_->descriptors.at(queue); }

 private:
  struct contents {
    bench::plan plan;
    std::size_t members;
    std::size_t queues;
    std::array<std::atomic<std::uint32_t>, kStages> arrived;
    std::atomic<std::uint32_t> failed;
    std::array<char, 256> failure;
    std::array<std::array<int, 2>, kMaxQueues> descriptors;
    std::array<member_report, kMaxMembers> reports;
    alignas(4096) std::array<std::byte, kAreaBytes> area;
  };

  int descriptor_;
  contents* shared_;
};

}  // namespace bench
