// SPDX-License-Identifier: BSL-1.0
#include "runtime/output.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <pthread.h>
#include <stdio_ext.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <ext/stdio_sync_filebuf.h>
#include <iostream>
#include <mutex>
#include <new>
#include <typeinfo>
#include <utility>

#include "runtime/status_line.hpp"
#include "sync/blocking.hpp"
#include "weir/detail/crash_point.hpp"

namespace weir::runtime {
namespace {

/// A call that has printed waits so long before it lets its worker's next call run.
constexpr std::chrono::milliseconds kUsuallyPrintedWithin{50};
/// Bytes that the reader may have read and not printed yet; no less than it reads at once.
constexpr std::size_t kMayBeInHand = std::size_t{64} << 10U;

/// While it lives signals wait, or go to other threads: stdio loses what it writes when one comes before there is room.
class without_signals {
 public:
  without_signals() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  without_signals(const without_signals&) = delete;
  without_signals& operator=(const without_signals&) = delete;
  ~without_signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

/// The stream keeps nothing itself, but hands it on to stdout or stderr.
bool is_synchronised(const std::ostream& stream) noexcept {
  const std::streambuf* const buffer = stream.rdbuf();
  return buffer != nullptr && typeid(*buffer) == typeid(__gnu_cxx::stdio_sync_filebuf<char>);
}

/// Of what this thread has written. So a call that prints nothing makes no system call for it, which took a quarter of its time.
bool nothing_is_buffered() noexcept {
  return ::__fpending(stdout) == 0 && ::__fpending(stderr) == 0 && is_synchronised(std::cout) &&
         is_synchronised(std::cerr) && is_synchronised(std::clog);
}

void flush_standard_streams() noexcept {
  if (nothing_is_buffered()) return;
  const without_signals meanwhile;
  try {
    std::cout.flush();
    std::cerr.flush();
    std::clog.flush();
    std::fflush(stdout);
    std::fflush(stderr);
  } catch (const std::exception&) {
    // A stream that throws when it fails: the output is lost, the call is not.
  }
}

}  // namespace

void print_line(process_id worker, output_stream stream, std::string_view line) noexcept {
  try {
    std::FILE* to = stream == output_stream::standard_output ? stdout : stderr;
    const std::string whole = fmt::format("      From worker {}:\t{}\n", worker, line);
    const without_signals meanwhile;
    const status_line::aside above_it;
    std::fwrite(whole.data(), 1, whole.size(), to);
    std::fflush(to);
  } catch (const std::exception&) {
    // No memory to print a line with.
  }
}

// --------------------------------------------------------------------------------------------- in the control process

void output_reader::print(std::string_view line) noexcept {
  try {
    print_(worker_, stream_, line);
  } catch (const std::exception&) {
    // The user's printer failed on this line; the next one may do better.
  }
}

void output_reader::keep(std::string_view bytes) noexcept {
  try {
    unfinished_ += bytes;
  } catch (const std::bad_alloc&) {  // then the line comes in pieces
    print(unfinished_);
    unfinished_.clear();
    print(bytes);
  }
}

void output_reader::take_in(std::string_view bytes) {
  for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
    if (unfinished_.empty()) {
      print(bytes.substr(0, end));
    } else {
      keep(bytes.substr(0, end));
      print(unfinished_);
      unfinished_.clear();
    }
    bytes.remove_prefix(end + 1);
  }
  keep(bytes);
  if (unfinished_.size() >= kLongestLine) {
    print(unfinished_);
    unfinished_.clear();
  }
}

output_reader::read_result output_reader::read_once() {
  std::array<char, kReadBytes> buffer;
  // Before the bytes leave the pipe: a worker that finds it empty finds this set; see output_gate.
  entry_.output_busy.fetch_or(bit(), std::memory_order_seq_cst);
  WEIR_CRASH_POINT("output.busy");
  ssize_t got = 0;
  do {
    got = ::read(pipe_.get(), buffer.data(), buffer.size());
  } while (got < 0 && errno == EINTR);
  const bool nothing_yet = got < 0 && errno == EAGAIN;
  if (got > 0) {
    take_in({buffer.data(), static_cast<std::size_t>(got)});
    WEIR_CRASH_POINT("output.read");
    entry_.output_bytes[static_cast<unsigned>(stream_)].fetch_add(static_cast<std::uint64_t>(got));
    WEIR_CRASH_POINT("output.counted");
    if (unfinished_.empty()) {
      entry_.output_partial.fetch_and(~bit(), std::memory_order_seq_cst);
    } else {
      entry_.output_partial.fetch_or(bit(), std::memory_order_seq_cst);
    }
  }
  WEIR_CRASH_POINT("output.ending");
  entry_.output_busy.fetch_and(~bit(), std::memory_order_seq_cst);
  WEIR_CRASH_POINT("output.ended");
  entry_.output_done.signal();
  WEIR_CRASH_POINT("output.told");
  if (got > 0) return read_result::some;
  return nothing_yet ? read_result::none : read_result::end;
}

void output_reader::read_some() {
  for (int i = 0; i < kReadsAtOnce; ++i) {
    const read_result result = read_once();
    if (result == read_result::end) finish();
    if (result != read_result::some) return;
  }
}

void output_reader::finish() {
  while (pipe_ && read_once() == read_result::some) {
  }
  pipe_.reset();
  if (!unfinished_.empty()) print(unfinished_);
  unfinished_.clear();
}

// -------------------------------------------------------------------------------------------------------- in a worker

output_gate::output_gate(const session_table& table, process_entry& entry, shm::unique_fd watch)
    : table_(table), entry_(entry), watch_(std::move(watch)) {
  // A program that has closed what it inherited may have something else under that number, which is not ours.
  if (watch_ && ask_watch() < 0) static_cast<void>(watch_.release());
  if (watch_) ::fcntl(watch_.get(), F_SETFD, FD_CLOEXEC);
  for (const int stream : {0, 1}) {
    pipes_[stream] = shm::unique_fd(::fcntl(stream + STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  }
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
}

int output_gate::ask_watch() const noexcept {
  epoll_event unread;
  return ::epoll_wait(watch_.get(), &unread, 1, 0);
}

bool output_gate::is_known_to_be_printed() noexcept {
  // While one thread asks, the kernel may tell another that there is nothing though there is.
  const std::unique_lock alone(asking_watch_, std::try_to_lock);
  if (!watch_ || !alone || ask_watch() != 0) return false;
  // In this order, as in is_clear(); and what is partial is marked before it is no longer busy.
  return entry_.output_busy.load(std::memory_order_seq_cst) == 0 &&
         entry_.output_partial.load(std::memory_order_seq_cst) == 0;
}

std::size_t output_gate::unread_bytes(int stream) const noexcept {
  int bytes = 0;
  return ::ioctl(pipes_[stream].get(), FIONREAD, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

bool output_gate::is_clear(int stream) const noexcept {
  // In this order: what the reader takes out of the pipe after the first look, it has marked before.
  return unread_bytes(stream) == 0 &&
         (entry_.output_busy.load(std::memory_order_seq_cst) & (1U << static_cast<unsigned>(stream))) == 0;
}

void output_gate::wait_until_printed(int stream) noexcept {
  // Others may go on printing: enough is what was on its way when we came.
  const auto& printed = entry_.output_bytes[stream];
  const std::uint64_t unread = unread_bytes(stream);
  const std::uint64_t enough = printed.load(std::memory_order_seq_cst) + unread + kMayBeInHand;
  const auto soon = std::chrono::steady_clock::now() + kUsuallyPrintedWithin;
  sync::blocking_scope scope({.what = sync::wait_kind::output});
  for (;;) {
    const std::uint32_t seen = entry_.output_done.prepare();
    if (is_clear(stream) || printed.load(std::memory_order_seq_cst) >= enough) return;
    const auto now = std::chrono::steady_clock::now();
    if (now >= soon) {
      if (shm::is_dead(table_.control())) return;
      scope.about_to_sleep();
    }
    entry_.output_done.sleep(seen, now < soon ? soon : now + sync::kLongestSleep);
  }
}

void output_gate::settle() noexcept {
  flush_standard_streams();
  if (is_known_to_be_printed()) return;
  for (const int stream : {0, 1}) {
    if (!is_clear(stream)) wait_until_printed(stream);
    // The reader is in the middle of a line: the call is over, so the line is.
    if ((entry_.output_partial.load(std::memory_order_seq_cst) & (1U << static_cast<unsigned>(stream))) == 0) continue;
    constexpr char kEndOfLine = '\n';
    const without_signals meanwhile;
    if (::write(pipes_[stream].get(), &kEndOfLine, 1) == 1) wait_until_printed(stream);
  }
}

}  // namespace weir::runtime
