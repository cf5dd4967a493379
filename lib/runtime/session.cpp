// SPDX-License-Identifier: BSL-1.0
#include "weir/session.hpp"

#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <random>
#include <utility>

#include "runtime/continuations.hpp"
#include "runtime/executor.hpp"
#include "runtime/exit_notices.hpp"
#include "runtime/leftovers.hpp"
#include "runtime/member.hpp"
#include "runtime/monitor.hpp"
#include "runtime/output.hpp"
#include "runtime/peer.hpp"
#include "runtime/realm.hpp"
#include "runtime/spawn.hpp"
#include "runtime/tracing.hpp"
#include "runtime/worker_process.hpp"
#include "segment/names.hpp"
#include "sync/blocking.hpp"
#include "sync/futex.hpp"
#include "weir/detail/crash_point.hpp"

namespace weir {
namespace {

using clock = std::chrono::steady_clock;

/// What a worker gets between the two signals that end it.
constexpr std::chrono::seconds kAfterTerminate{1};
/// Calls that have waited in weir for so long, all of them, wait for something that will not come.
constexpr std::chrono::milliseconds kQuietForGood{500};

bool is_running(runtime::worker_state state) { return state == runtime::worker_state::running; }
bool is_living(runtime::worker_state state) { return is_running(state) || state == runtime::worker_state::starting; }

/// What the session's processes have done, to be compared with what they will have done a little later.
struct activity {
  bool all_wait = true;  // every unfinished call is asleep in weir
  std::uint64_t steps = 0;
  friend bool operator==(const activity&, const activity&) = default;
};

/// A process's second session has a realm of its own: workers count from 2 again, and must not make names that objects
/// left over from the first still have.
std::string take_realm() {
  if (runtime::member::current()) throw already_exists("weir: start session: this process has one already");
  static std::atomic<bool> used{false};
  if (used.exchange(true)) {
    std::random_device random;
    shm::join_realm(fmt::format("{:08x}{:04x}", random(), random() & 0xffffU));
  }
  return shm::realm();
}

}  // namespace

class session::implementation {
 public:
  explicit implementation(session_options given);
  ~implementation();

  std::vector<weir::worker> add_workers(std::size_t count, const worker_options& options);
  void end_workers(const std::vector<process_id>& ids);
  [[nodiscard]] std::vector<process_id> workers_in(bool (*state)(runtime::worker_state)) const;
  [[nodiscard]] runtime::session_table& table() const noexcept { return self_->table(); }
  [[nodiscard]] bool is_owner() const noexcept { return owner_ == ::getpid(); }
  void check_is_owner(std::string_view operation) const {
    if (is_owner()) return;
    throw not_in_session(fmt::format("weir: {}: the session came through fork() and is its parent's", operation));
  }

  const session_options settings;
  const std::string realm;
  std::atomic<std::size_t> next_worker{0};
  runtime::exit_notices notices;

 private:
  /// Waits until the condition holds, which changes of workers' states may make it; false: not until then.
  template <class Condition>
  bool wait_for_workers(clock::time_point until, const Condition& condition) const;
  [[nodiscard]] bool are_gone(const std::vector<process_id>& ids) const;
  void start(process_id id, const worker_options& options);
  void await_start(const std::vector<process_id>& ids, const worker_options& options);
  void kill(const std::vector<process_id>& ids);
  void kill_all();
  [[nodiscard]] activity look_at_activity() const;
  bool await_end(const std::vector<process_id>& ids, clock::time_point until) const;

  const int owner_ = ::getpid();
  std::mutex start_mutex_;  // one thread at a time makes entries in the table
  std::shared_ptr<runtime::member> self_;
  std::unique_ptr<runtime::monitor> monitor_;
};

session::implementation::implementation(session_options given) : settings(std::move(given)), realm(take_realm()) {
  runtime::remove_leftovers();
  try {
    runtime::session_table made = runtime::session_table::create();
    if (settings.trace) runtime::switch_trace(made.header(), /*on=*/true);
    runtime::join_trace(kControlProcess);
    self_ = std::make_shared<runtime::member>(std::move(made), kControlProcess);
    self_->set_executor(std::make_unique<runtime::executor>(*self_, 1, nullptr));
    runtime::connect_layers();
    monitor_ = std::make_unique<runtime::monitor>(self_, settings.output ? settings.output : runtime::print_line,
                                                  [this](const worker_exit& exit) { notices.announce(exit); });
    self_->runner().start();
    runtime::member::set_current(self_);
  } catch (...) {
    monitor_.reset();  // its thread follows the trace's switch
    runtime::leave_trace();
    runtime::remove_own_realm();
    throw;
  }
}

session::implementation::~implementation() {
  {
    const std::scoped_lock lock(start_mutex_);
    WEIR_CRASH_POINT("session.end.begin");
    table().header().ending.store(1, std::memory_order_release);
    WEIR_CRASH_POINT("session.end.marked");
  }
  try {
    end_workers(workers_in(is_living));  // also those that a function of on_worker_exit() is just starting
  } catch (const std::exception&) {
    kill_all();  // there is no memory to tell them to end with
  }
  monitor_.reset();
  notices.stop();
  self_->watcher().stop();
  self_->runner().stop();
  self_->runner().wait_until_done(clock::now() + settings.exit_grace);
  runtime::leave_trace();
  runtime::member::set_current(nullptr);
  table().set_gone(kControlProcess, runtime::exit_kind::unknown, 0);  // futures of this process are not waited for
  WEIR_CRASH_POINT("session.end.removing");
  runtime::remove_own_realm();
  WEIR_CRASH_POINT("session.end.removed");
}

template <class Condition>
bool session::implementation::wait_for_workers(clock::time_point until, const Condition& condition) const {
  sync::blocking_scope scope({.what = sync::wait_kind::workers, .until = until});
  for (;;) {
    const std::uint32_t seen = table().header().workers.prepare();
    if (condition()) return true;
    if (clock::now() >= until) return false;
    scope.about_to_sleep();
    table().header().workers.sleep(seen, until);
  }
}

bool session::implementation::are_gone(const std::vector<process_id>& ids) const {
  return std::all_of(ids.begin(), ids.end(), [&](process_id id) { return table().is_gone(id); });
}

std::vector<process_id> session::implementation::workers_in(bool (*state)(runtime::worker_state)) const {
  std::vector<process_id> found;
  const process_id end = table().header().next_id.load(std::memory_order_acquire);
  for (process_id id = kControlProcess + 1; id < end; ++id) {
    const runtime::process_entry* entry = table().find(id);
    if (entry != nullptr && state(entry->state.load(std::memory_order_acquire))) found.push_back(id);
  }
  return found;
}

void session::implementation::start(process_id id, const worker_options& options) {
  try {
    runtime::started_process process = runtime::start_worker(id, options.environment);
    const pid_t pid = process.pid;
    try {
      monitor_->watch(id, std::move(process));
    } catch (...) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
      throw;
    }
  } catch (...) {
    table().set_gone(id, runtime::exit_kind::unknown, 0);
    throw;
  }
}

void session::implementation::kill(const std::vector<process_id>& ids) {
  for (const process_id id : ids) {
    if (runtime::process_entry* entry = table().find(id)) entry->told_to_end.store(1, std::memory_order_relaxed);
    monitor_->send_signal(id, SIGKILL);
  }
  wait_for_workers(clock::time_point::max(), [&] { return are_gone(ids); });
}

/// Needs no memory.
void session::implementation::kill_all() {
  const process_id end = table().header().next_id.load(std::memory_order_acquire);
  for (process_id id = kControlProcess + 1; id < end; ++id) monitor_->send_signal(id, SIGKILL);
  wait_for_workers(clock::time_point::max(), [&] {
    for (process_id id = kControlProcess + 1; id < end; ++id) {
      if (!table().is_gone(id)) return false;
    }
    return true;
  });
}

void session::implementation::await_start(const std::vector<process_id>& ids, const worker_options& options) {
  const auto state_of = [&](process_id id) {
    return table().find(id)->state.load(std::memory_order_acquire);  // pairs with the release in set_running()
  };
  const auto has_failed = [&](process_id id) { return state_of(id) == runtime::worker_state::gone; };
  const auto is_waited_for = [&](process_id id) { return state_of(id) == runtime::worker_state::starting; };
  const bool in_time = wait_for_workers(clock::now() + options.start_timeout, [&] {
    return std::any_of(ids.begin(), ids.end(), has_failed) || std::none_of(ids.begin(), ids.end(), is_waited_for);
  });
  if (const auto failed = std::find_if(ids.begin(), ids.end(), has_failed); failed != ids.end()) {
    throw runtime::make_worker_died(fmt::format("start worker {}", *failed), *failed, table().report_of(*failed));
  }
  if (!in_time) {
    throw timed_out(
        fmt::format("weir: start {} workers: worker {} is not ready after {} ms: it must reach weir::session "
                    "or weir::serve_if_worker()",
                    ids.size(), *std::find_if(ids.begin(), ids.end(), is_waited_for), options.start_timeout.count()));
  }
}

std::vector<weir::worker> session::implementation::add_workers(std::size_t count, const worker_options& options) {
  check_is_owner("add workers");
  constexpr std::size_t kMostWorkers = runtime::kEntries - 2;
  if (options.concurrency == 0) throw invalid_argument("weir: add workers: concurrency is 0: at least 1 call must run");
  if (count > kMostWorkers) {
    throw invalid_argument(
        fmt::format("weir: add workers: {} asked for, at most {} are possible", count, kMostWorkers));
  }
  std::vector<process_id> ids;
  ids.reserve(count);
  try {
    {
      const std::scoped_lock lock(start_mutex_);
      if (table().header().ending.load(std::memory_order_acquire) != 0) {
        throw not_in_session("weir: add workers: the session is ending");
      }
      for (std::size_t i = 0; i < count; ++i) {
        const process_id id = table().add_process(options.concurrency);
        start(id, options);
        ids.push_back(id);
      }
    }
    await_start(ids, options);
  } catch (...) {
    kill(ids);
    throw;
  }
  std::vector<weir::worker> added;
  added.reserve(ids.size());
  for (const process_id id : ids) added.emplace_back(id);
  return added;
}

activity session::implementation::look_at_activity() const {
  activity now;
  const process_id end = table().header().next_id.load(std::memory_order_acquire);
  for (process_id id = kControlProcess; id < end; ++id) {
    const runtime::process_entry* entry = table().find(id);
    if (entry == nullptr || table().is_gone(id)) continue;
    now.steps += entry->calls_started.load(std::memory_order_relaxed) +
                 entry->calls_served.load(std::memory_order_relaxed) + entry->waits.load(std::memory_order_relaxed);
    // Not exact while calls come and go, but then the steps change too.
    if (entry->running_calls.load(std::memory_order_relaxed) != entry->waiting_calls.load(std::memory_order_relaxed)) {
      now.all_wait = false;
    }
  }
  return now;
}

/// Waits for workers that have been told to end. False: they have not, and nothing is gained by waiting longer.
bool session::implementation::await_end(const std::vector<process_id>& ids, clock::time_point until) const {
  activity last = look_at_activity();
  auto quiet_since = clock::now();
  while (clock::now() < until) {
    if (wait_for_workers(std::min(until, clock::now() + sync::kLongestSleep), [&] { return are_gone(ids); }))
      return true;
    const activity now = look_at_activity();
    if (!now.all_wait || now != last) quiet_since = clock::now();
    last = now;
    if (clock::now() - quiet_since >= kQuietForGood) return false;
  }
  return are_gone(ids);
}

void session::implementation::end_workers(const std::vector<process_id>& ids) {
  check_is_owner("remove workers");
  const auto until = clock::now() + settings.exit_grace;
  for (const process_id id : ids) {
    runtime::process_entry* entry = table().find(id);
    if (entry == nullptr || table().is_gone(id)) continue;
    entry->told_to_end.store(1, std::memory_order_relaxed);
    WEIR_CRASH_POINT("session.end.telling");
    runtime::send_end(*self_, id, detail::deadline::at(until));
  }
  if (await_end(ids, until)) return;
  for (const process_id id : ids) monitor_->send_signal(id, SIGTERM);
  if (wait_for_workers(clock::now() + kAfterTerminate, [&] { return are_gone(ids); })) return;
  kill(ids);
}

// ------------------------------------------------------------------------------------------------------------- session

void serve_if_worker() {
  const runtime::worker_identity who = runtime::read_worker_variable();
  if (who.id != 0) runtime::serve_as_worker(who);
}

session::session(session_options options) {
  serve_if_worker();
  implementation_ = std::make_unique<implementation>(std::move(options));
}

session::~session() {
  // A forked child has neither the threads nor the workers: what is here is the parent's to end.
  if (implementation_ && !implementation_->is_owner()) static_cast<void>(implementation_.release());
}

std::vector<weir::worker> session::add_workers(std::size_t count, const worker_options& options) {
  return implementation_->add_workers(count, options);
}

void session::remove_workers(std::span<const weir::worker> which) {
  std::vector<process_id> ids;
  for (const weir::worker& each : which) {
    if (each.id() == kControlProcess) {
      throw invalid_argument("weir: remove worker 1: it is the control process, which ends with its session");
    }
    ids.push_back(each.id());
  }
  implementation_->end_workers(ids);
}

std::vector<weir::worker> session::workers() const {
  std::vector<weir::worker> running;
  for (const process_id id : implementation_->workers_in(is_running)) running.emplace_back(id);
  return running;
}

weir::worker session::worker(process_id id) const { return weir::worker(id); }

weir::worker session::any_worker() {
  const std::vector<process_id> running = implementation_->workers_in(is_running);
  if (running.empty()) throw not_found("weir: any worker: the session has none (add_workers starts some)");
  return weir::worker(running[implementation_->next_worker.fetch_add(1) % running.size()]);
}

void session::check_is_owner(std::string_view operation) const { implementation_->check_is_owner(operation); }

void session::on_worker_exit(std::function<void(const worker_exit&)> f) {
  implementation_->check_is_owner("call a function when a worker ends");
  implementation_->notices.add_function(std::move(f));
}

const std::string& session::realm() const noexcept { return implementation_->realm; }

}  // namespace weir
