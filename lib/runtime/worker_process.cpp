// SPDX-License-Identifier: BSL-1.0
#include "runtime/worker_process.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "channel/bound.hpp"
#include "channel/references.hpp"
#include "runtime/continuations.hpp"
#include "runtime/executor.hpp"
#include "runtime/future_core.hpp"
#include "runtime/member.hpp"
#include "runtime/output.hpp"
#include "runtime/realm.hpp"
#include "runtime/served_call.hpp"
#include "runtime/spawn.hpp"
#include "runtime/tracing.hpp"
#include "segment/membership.hpp"
#include "segment/names.hpp"
#include "sync/waits.hpp"
#include "weir/error.hpp"

namespace weir::runtime {
namespace {

constexpr int kExitSessionOver = 0;  // the control process has gone: that is no fault of the worker's

[[noreturn]] void end_with_session(std::string_view realm) noexcept {
  // Every worker of the session does this; the last one leaves nothing behind, since none makes anything any more.
  shm::stop_creating();
  remove_realm(realm);
  ::_exit(kExitSessionOver);
}

/// Set once this process has joined the session's trace.
std::atomic<bool> g_may_follow{false};
void follow() noexcept {
  if (g_may_follow.load(std::memory_order_acquire))
    follow_trace_switch();  // pairs with the release in serve_as_worker()
}

/// Waits for the control process's end.
void watch_control(const shm::process_identity& control, const std::string& realm,
                   std::shared_ptr<sync::wait_table> waits) noexcept {
  const sync::idle_mark idle(std::move(waits));
  const shm::unique_fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, control.pid, 0)));
  // The pid may have become another process's before it was opened, not after.
  while (pidfd && !shm::is_dead(control)) {
    pollfd fd{pidfd.get(), POLLIN, 0};
    int ready = 0;
    while ((ready = ::poll(&fd, 1, kLooksAtSwitch.count())) == 0) follow();
    if (ready > 0) break;
  }
  // Without a pidfd there is no such process, or no descriptor to be had: then it is looked at now and then.
  while (!shm::is_dead(control)) {
    follow();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  end_with_session(realm);
}

void start_watching(const shm::process_identity& control, const std::string& realm,
                    const std::shared_ptr<sync::wait_table>& waits) {
  // Users' signal handlers are to run on other threads.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([control, realm, waits] { watch_control(control, realm, waits); }).detach();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

/// ps and top show the program's name, not that of the link it was executed through.
void take_programs_name() noexcept {
  const std::string_view path = ::program_invocation_short_name;
  ::prctl(PR_SET_NAME, std::string(path.substr(0, 15)).c_str());
}

shm::process_identity identity_of(process_id id) {
  const auto self = member::current_or_throw(fmt::format("worker {}", id));
  const process_entry* entry = self->table().find(id);
  if (!self->table().was_used(id)) {
    throw not_found(fmt::format("weir: worker {}: the session never had a process of that number", id));
  }
  if (entry == nullptr || entry->state.load(std::memory_order_acquire) != worker_state::running) {
    throw make_worker_died(fmt::format("worker {}", id), id, self->table().report_of(id));
  }
  return entry->who;
}

std::optional<exit_report> how_it_ended(process_id id) {
  const auto self = member::current();
  if (!self || !self->table().was_used(id) || !self->table().is_gone(id)) return std::nullopt;
  return self->table().report_of(id);
}

}  // namespace

void connect_layers() {
  channels::set_worker_directory({&identity_of, &how_it_ended});
  channels::add_other_references({detail::kFutureReference, &detail::pin_future, &detail::unpin_future});
}

worker_identity read_worker_variable() noexcept {
  worker_identity found;
  const char* text = std::getenv(kWorkerVariable);
  if (text == nullptr) return found;
  const std::string_view value(text);
  const std::size_t colon = value.find(':');
  if (colon == std::string_view::npos || colon >= sizeof found.realm) return found;
  value.copy(found.realm, colon);
  const char* const end = value.data() + value.size();
  const char* const after_id = std::from_chars(value.data() + colon + 1, end, found.id).ptr;
  if (after_id != end && *after_id == ':') std::from_chars(after_id + 1, end, found.output_watch);
  return found;
}

void serve_as_worker(const worker_identity& who) {
  // Programs that a call starts are no workers; and a write to a control process that has gone is an error, not the end.
  ::unsetenv(kWorkerVariable);
  std::signal(SIGPIPE, SIG_IGN);
  take_programs_name();
  shm::join_realm(who.realm);
  shm::set_my_id(who.id);
  try {
    session_table table = session_table::attach();
    const shm::process_identity control = table.control();
    start_watching(control, who.realm, table.waits_of(who.id));
    connect_layers();
    join_trace(who.id);
    g_may_follow.store(true, std::memory_order_release);
    process_entry* entry = table.find(who.id);
    if (entry == nullptr) throw not_found(fmt::format("weir: join session: it has no worker {}", who.id));
    const auto self = std::make_shared<member>(std::move(table), who.id);
    static output_gate gate(self->table(), *entry, shm::unique_fd(who.output_watch));
    self->set_executor(std::make_unique<executor>(*self, entry->concurrency.load(std::memory_order_relaxed), &gate));
    member::set_current(self);
    self->table().set_running(who.id);
    self->runner().serve();
    self->watcher().stop();
    gate.settle();
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}\n", e.what());
    std::exit(kExitCannotServe);
  }
  std::exit(EXIT_SUCCESS);
}

}  // namespace weir::runtime
