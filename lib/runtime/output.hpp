// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "runtime/session_table.hpp"
#include "segment/segment.hpp"
#include "weir/session_options.hpp"

/// What workers print: read from their pipes by the control process, a line at a time.
namespace weir::runtime {

/// Prints a line as it is printed unless session_options say otherwise: `      From worker 2:\t` before it, stdout to
/// stdout and stderr to stderr, in one piece.
void print_line(process_id worker, output_stream stream, std::string_view line) noexcept;

/// The control process's end of one stream of one worker. Used by one thread.
class output_reader {
 public:
  output_reader(process_id worker, output_stream stream, shm::unique_fd pipe, process_entry& entry,
                const output_function& print)
      : worker_(worker), stream_(stream), pipe_(std::move(pipe)), entry_(entry), print_(print) {}
  /// -1 once everything has been read.
  [[nodiscard]] int fd() const noexcept { return pipe_.get(); }
  /// Reads and prints what is there; does not wait. A very busy stream is left with something in it, in favour of others.
  void read_some();
  /// Reads what is left of a worker that has ended, and prints the last line even if it is not finished.
  void finish();

 private:
  static constexpr std::size_t kReadBytes = std::size_t{64} << 10U;
  static constexpr std::size_t kLongestLine = std::size_t{64} << 20U;  // is cut there, before memory runs out
  static constexpr int kReadsAtOnce = 16;

  enum class read_result { some, none, end };
  read_result read_once();
  void take_in(std::string_view bytes);
  void print(std::string_view line) noexcept;
  void keep(std::string_view bytes) noexcept;
  [[nodiscard]] std::uint32_t bit() const noexcept { return 1U << static_cast<unsigned>(stream_); }

  process_id worker_;
  output_stream stream_;
  shm::unique_fd pipe_;
  process_entry& entry_;
  const output_function& print_;
  std::string unfinished_;
};

/// A worker's end of both streams: lets a call's result out only after the call's output has been printed.
class output_gate {
 public:
  /// Keeps copies of the descriptors 1 and 2, since users' code may replace those. stdout becomes line-buffered. `watch`:
  /// an epoll instance with the reading ends of both, or none.
  output_gate(const session_table& table, process_entry& entry, shm::unique_fd watch);
  /// Flushes the standard streams and waits until the control process has printed what came before. One system call if
  /// that is nothing, several without a watch; never waits for a control process that has died. Any thread.
  void settle() noexcept;

 private:
  /// 0: neither pipe has anything in it. Negative: the watch is none. Does not wait.
  [[nodiscard]] int ask_watch() const noexcept;
  /// Both streams at once, since nearly all calls print nothing. False: it may be.
  [[nodiscard]] bool is_known_to_be_printed() noexcept;
  [[nodiscard]] bool is_clear(int stream) const noexcept;
  [[nodiscard]] std::size_t unread_bytes(int stream) const noexcept;
  void wait_until_printed(int stream) noexcept;

  const session_table& table_;
  process_entry& entry_;
  shm::unique_fd pipes_[2];
  std::mutex asking_watch_;
  shm::unique_fd watch_;
};

}  // namespace weir::runtime
