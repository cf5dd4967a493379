// SPDX-License-Identifier: BSL-1.0
#include "runtime/monitor.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <exception>
#include <new>
#include <system_error>
#include <utility>
#include <vector>

#include "channel/bound.hpp"
#include "runtime/blob.hpp"
#include "runtime/exit_notices.hpp"
#include "runtime/peer.hpp"
#include "runtime/served_call.hpp"
#include "runtime/tracing.hpp"
#include "sync/waits.hpp"
#include "weir/detail/crash_point.hpp"
#include "weir/error.hpp"

namespace weir::runtime {
namespace {

constexpr std::chrono::milliseconds kUntilThereIsMemory{10};

/// How a process that has ended did so, as waitid() says it.
struct ending {
  exit_kind how = exit_kind::unknown;
  int value = 0;
};

ending reap(int pidfd) noexcept {
  siginfo_t info{};
  int result = 0;
  do {
    result = ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED);
  } while (result != 0 && errno == EINTR);
  if (result != 0) return {};  // the program ignores SIGCHLD, or waits for all its children itself
  return {info.si_code == CLD_EXITED ? exit_kind::exited : exit_kind::signalled, info.si_status};
}

/// Closes the inbox of a process that has ended, lets go of what lies in it, and removes it.
void empty_inbox(process_id id) {
  const std::string name = inbox_name(id);
  try {
    const detail::core_handle inbox = detail::attach(name, inbox_type());
    detail::close(*inbox, "the worker has ended");
    detail::taken_item message;
    while (detail::take(inbox, message, detail::deadline::at_once()) == detail::take_status::taken)
      drop_message(message);
  } catch (const std::exception&) {
    // Drained, or never made.
  }
  remove_blob(name);
}

void retire_results(member& self, process_id id) noexcept {
  try {
    self.results_of(id)->retire();
  } catch (const std::exception&) {
    // Cannot be mapped: the end of the session removes them whole.
  }
}

}  // namespace

monitor::watched_worker::watched_worker(process_id worker, started_process process, process_entry& entry,
                                        const output_function& print)
    : id(worker),
      pidfd(std::move(process.pidfd)),
      out(worker, output_stream::standard_output, std::move(process.output[0]), entry, print),
      err(worker, output_stream::standard_error, std::move(process.output[1]), entry, print) {}

monitor::monitor(std::shared_ptr<member> self, output_function print, std::function<void(const worker_exit&)> on_exit)
    : self_(std::move(self)),
      print_(std::move(print)),
      on_exit_(std::move(on_exit)),
      event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!event_) throw no_space("weir: start session: " + std::generic_category().message(errno));
  try {
    thread_ = std::thread([this] { thread_main(); });
  } catch (const std::system_error& e) {
    throw no_space("weir: start session: no thread can be started: " + e.code().message());
  }
}

monitor::~monitor() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  rouse();
  thread_.join();
}

void monitor::rouse() noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(event_.get(), &one, sizeof one));
}

void monitor::watch(process_id id, started_process process) {
  {
    const std::scoped_lock lock(mutex_);
    workers_.emplace_back(id, std::move(process), *self_->table().find(id), print_);
  }
  rouse();
}

void monitor::send_signal(process_id id, int signal) noexcept {
  const std::scoped_lock lock(mutex_);
  for (const watched_worker& worker : workers_) {
    if (worker.id == id) ::syscall(SYS_pidfd_send_signal, worker.pidfd.get(), signal, nullptr, 0);
  }
}

void monitor::thread_main() {
  const sync::idle_mark idle(self_->table().waits_of(self_->id()));  // it only looks after the workers
  std::vector<pollfd> polled;
  std::vector<std::list<watched_worker>::iterator> watched;
  for (;;) {
    try {
      polled.assign(1, {event_.get(), POLLIN, 0});
      watched.clear();
      const std::scoped_lock lock(mutex_);
      if (stopping_) return;
      for (auto it = workers_.begin(); it != workers_.end(); ++it) {
        watched.push_back(it);
        // A negative descriptor is passed over.
        for (const int fd : {it->pidfd.get(), it->out.fd(), it->err.fd()}) polled.push_back({fd, POLLIN, 0});
      }
    } catch (const std::bad_alloc&) {
      std::this_thread::sleep_for(kUntilThereIsMemory);
      continue;
    }
    follow_trace_switch();
    if (::poll(polled.data(), polled.size(), kLooksAtSwitch.count()) <= 0) continue;  // a signal, or nothing new
    std::uint64_t news = 0;
    static_cast<void>(!::read(event_.get(), &news, sizeof news));
    for (std::size_t i = 0; i < watched.size(); ++i) {
      constexpr std::size_t kEach = 3;
      const pollfd* fds = &polled[1 + i * kEach];
      if (fds[1].revents != 0) watched[i]->out.read_some();
      if (fds[2].revents != 0) watched[i]->err.read_some();
      if (fds[0].revents == 0) continue;
      bury(*watched[i]);
      self_->table().signal_completion();  // a map waits for its end to have been told
      const std::scoped_lock lock(mutex_);
      workers_.erase(watched[i]);
    }
  }
}

void monitor::bury(watched_worker& worker) {
  worker.out.finish();
  worker.err.finish();
  process_entry& entry = *self_->table().find(worker.id);
  const bool ran = entry.state.load(std::memory_order_acquire) == worker_state::running;
  const shm::process_identity who = ran ? entry.who : shm::process_identity{};
  const ending how = reap(worker.pidfd.get());
  const exit_notices::telling telling;
  self_->table().set_gone(worker.id, how.how, how.value);
  self_->results().wake_waiters_for(worker.id);
  WEIR_CRASH_POINT("bury.waiters");
  const worker_exit exit{worker.id, self_->table().report_of(worker.id),
                         entry.told_to_end.load(std::memory_order_relaxed) != 0};
  // Nobody sends to it any more: what has been sent already, and what lived with it, goes.
  try {
    empty_inbox(worker.id);
    WEIR_CRASH_POINT("bury.inbox");
    remove_blobs(arguments_blob_prefix(worker.id));
    WEIR_CRASH_POINT("bury.blobs");
  } catch (const std::bad_alloc&) {
    // The end of the session removes them.
  }
  if (ran) {
    channels::close_channels_of(who, exit.report);
    WEIR_CRASH_POINT("bury.channels");
    retire_results(*self_, worker.id);
    WEIR_CRASH_POINT("bury.results");
  }
  try {
    on_exit_(exit);
  } catch (const std::exception&) {
    // No memory to tell of it with.
  }
}

}  // namespace weir::runtime
