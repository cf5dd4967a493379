// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <thread>

#include "runtime/member.hpp"
#include "runtime/output.hpp"
#include "runtime/spawn.hpp"
#include "segment/segment.hpp"
#include "weir/session.hpp"
#include "weir/session_options.hpp"

namespace weir::runtime {

/// The thread of the control process that watches its workers: prints what they print, and clears up when one ends.
class monitor {
 public:
  /// `on_exit` is called on the thread, after the worker's end has been made known.
  monitor(std::shared_ptr<member> self, output_function print, std::function<void(const worker_exit&)> on_exit);
  monitor(const monitor&) = delete;
  monitor& operator=(const monitor&) = delete;
  /// Ends the thread; to be called when no worker is left.
  ~monitor();

  /// Watches a worker from now on. Any thread.
  void watch(process_id id, started_process process);
  /// Sends a signal to a worker that has not ended yet. Any thread.
  void send_signal(process_id id, int signal) noexcept;

 private:
  struct watched_worker {
    watched_worker(process_id worker, started_process process, process_entry& entry, const output_function& print);
    process_id id;
    shm::unique_fd pidfd;
    output_reader out;
    output_reader err;
  };
  void thread_main();
  /// The worker has ended: its last lines, its exit status, and what others wait for.
  void bury(watched_worker& worker);
  void rouse() noexcept;

  std::shared_ptr<member> self_;
  output_function print_;
  std::function<void(const worker_exit&)> on_exit_;
  shm::unique_fd event_;               // readable when there is something new
  std::mutex mutex_;                   // guards what follows
  std::list<watched_worker> workers_;  // only the thread removes from it; what it looks at stays where it is
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace weir::runtime
