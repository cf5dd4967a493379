// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "inspect/waits.hpp"

namespace weir::inspect {

/// A thread that sleeps on a channel.
struct channel_sleeper {
  channels::waits_for what{};
  std::int32_t thread = 0;
  std::int64_t since_ns = 0;  ///< monotonic clock
};

/// A channel as it passes by. Rates are those since the last look; nothing at the first.
struct watched_channel {
  std::string name;
  std::string type;
  bool internal = false;  ///< the runtime's own
  bool closed = false;
  std::uint64_t capacity = 0;
  std::uint64_t items = 0;
  std::uint64_t puts = 0;   ///< tickets that putters have drawn so far
  std::uint64_t takes = 0;  ///< likewise takers
  std::uint64_t memory_bytes = 0;
  std::optional<double> puts_per_s;
  std::optional<double> takes_per_s;
  std::vector<channel_sleeper> sleepers;  ///< the longest first
};

/// A process of a session.
struct watched_process {
  std::size_t session = 0;  ///< of frame.look.sessions
  std::size_t index = 0;    ///< of its processes
  std::optional<double> cpu_percent;
  std::optional<double> calls_per_s;
  std::uint64_t resident_bytes = 0;
  bool stopped = false;
};

struct watch_frame {
  std::int64_t taken_ns = 0;               ///< monotonic clock
  std::optional<double> since_last_s;      ///< nothing: it is the first
  std::vector<watched_channel> channels;   ///< by name
  std::vector<watched_process> processes;  ///< those that live, by session and number
  live_look look;                          ///< sessions and arrays; waits also of threads that sleep on channels
};

/// Looks again and again, each time only at what may have changed: for each channel, one read of its header.
class watcher {
 public:
  watcher() = default;
  [[nodiscard]] watch_frame look();

 private:
  struct known_channel {
    segment_file file;
    watched_channel last;  // all but rates and sleepers
    std::uint64_t waiters_offset = 0;
    std::int64_t seen_ns = 0;
  };
  struct known_process {
    std::int64_t cpu_ns = 0;
    std::uint64_t calls = 0;
    std::int64_t seen_ns = 0;
  };

  std::vector<std::string> sort_out(const std::vector<std::string>& names);
  void look_at_channels(watch_frame& frame);
  bool refresh(known_channel& known, std::int64_t now_ns, watched_channel& out);
  void look_at_processes(watch_frame& frame);
  static void add_sleepers(watch_frame& frame);

  std::map<std::string, std::optional<known_channel>> known_;  // nothing: it is no channel that can be read
  std::map<std::pair<std::int32_t, std::uint64_t>, known_process> processes_;
  std::int64_t last_ns_ = 0;
};

}  // namespace weir::inspect
