// SPDX-License-Identifier: BSL-1.0
#include "inspect/watch.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>

#include "channel/event.hpp"
#include "inspect/channel_snapshot.hpp"
#include "inspect/copy_of.hpp"
#include "inspect/process.hpp"

namespace weir::inspect {
namespace {

namespace ch = weir::channels;

std::int64_t monotonic_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

double seconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e9; }

/// A counter that goes back is another one's.
double rate(std::uint64_t now, std::uint64_t then, std::int64_t nanoseconds) {
  return nanoseconds > 0 && now >= then ? static_cast<double>(now - then) / seconds(nanoseconds) : 0;
}

std::vector<channel_sleeper> read_sleepers(const segment_file& file, std::uint64_t offset, std::uint32_t high) {
  std::vector<channel_sleeper> out;
  const auto rows =
      file.read_rows<waiter_words>(offset, std::min<std::uint32_t>(high, ch::kWaiters), sizeof(ch::waiter_entry));
  for (const waiter_words& row : rows) {
    if (row.word == 0 || ch::stage_of_waiter(row.word) != ch::waiter_stage::counted) continue;
    out.push_back({ch::waited_for(row.word), row.thread, row.since_ns});
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.since_ns < b.since_ns; });
  return out;
}

}  // namespace

/// Opens those that are new, and forgets those that have gone. Returns the names of all that are no channels.
std::vector<std::string> watcher::sort_out(const std::vector<std::string>& names) {
  std::vector<std::string> others;
  const std::set<std::string_view> present(names.begin(), names.end());
  std::erase_if(known_, [&](const auto& each) { return present.count(each.first) == 0; });
  for (const std::string& name : names) {
    const std::string_view word = word_in(name);
    const bool is_other = word.starts_with("session") || word.starts_with("results.") || word.starts_with("blob.");
    if (is_other) {
      others.push_back(name);
      continue;
    }
    if (const auto it = known_.find(name); it != known_.end()) {
      if (!it->second) others.push_back(name);
      continue;
    }
    checked_segment checked = check_segment(name);
    auto& slot = known_[name];
    if (!checked.report.header || checked.report.header->kind != shm::object_kind::channel) {
      others.push_back(name);
      continue;
    }
    std::string why;
    const auto constants = read_constants(checked.file, checked.report.header->fixed_bytes, why);
    if (!constants) continue;
    watched_channel fresh;
    fresh.name = name;
    fresh.type = checked.report.header->type;
    fresh.internal = name.starts_with('@') && checked.report.header->id == 0;
    fresh.capacity = constants->geometry.capacity;
    slot.emplace(known_channel{std::move(checked.file), std::move(fresh), constants->geometry.waiters_offset, 0});
  }
  return others;
}

/// False: it has gone, and another may have its name.
bool watcher::refresh(known_channel& known, std::int64_t now_ns, watched_channel& out) {
  struct stat info {};
  const auto h = std::make_unique<ch::channel_header>();
  if (::fstat(known.file.fd(), &info) != 0 || info.st_nlink == 0) return false;
  if (!known.file.read(shm::kPage, {reinterpret_cast<std::byte*>(h.get()), sizeof *h})) return false;
  watched_channel now = known.last;
  now.memory_bytes = static_cast<std::uint64_t>(info.st_blocks) * kStatBlock;
  now.closed = h->closed.load(kRelaxed) != 0;
  now.puts = h->tail.load(kRelaxed);
  now.takes = h->head.load(kRelaxed);
  now.items = std::min(now.puts - std::min(now.takes, now.puts), now.capacity);
  out = now;
  if (known.seen_ns != 0) {
    out.puts_per_s = rate(now.puts, known.last.puts, now_ns - known.seen_ns);
    out.takes_per_s = rate(now.takes, known.last.takes, now_ns - known.seen_ns);
  }
  const bool anybody = ch::sleepers_of(h->not_empty.word.load(kRelaxed)) != 0 ||
                       ch::sleepers_of(h->not_full.word.load(kRelaxed)) != 0 ||
                       ch::sleepers_of(h->block_freed.word.load(kRelaxed)) != 0;
  if (anybody) out.sleepers = read_sleepers(known.file, known.waiters_offset, h->waiters_high.load(kRelaxed));
  known.last = std::move(now);
  known.seen_ns = now_ns;
  return true;
}

void watcher::look_at_channels(watch_frame& frame) {
  for (auto it = known_.begin(); it != known_.end();) {
    watched_channel found;
    if (!it->second) {
      ++it;
    } else if (refresh(*it->second, monotonic_ns(), found)) {
      frame.channels.push_back(std::move(found));
      ++it;
    } else {
      it = known_.erase(it);
    }
  }
}

void watcher::look_at_processes(watch_frame& frame) {
  std::map<std::pair<std::int32_t, std::uint64_t>, known_process> now;
  for (std::size_t s = 0; s < frame.look.sessions.size(); ++s) {
    const auto& all = frame.look.sessions[s].report.processes;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].state != runtime::worker_state::running || all[i].life != shm::liveness::alive) continue;
      const auto usage = usage_of(all[i].who.pid);
      const std::int64_t now_ns = monotonic_ns();
      watched_process found;
      found.session = s;
      found.index = i;
      if (!usage) continue;
      found.resident_bytes = usage->resident_bytes;
      found.stopped = usage->state == 'T';
      const auto key = std::make_pair(all[i].who.pid, all[i].who.start_time);
      if (const auto last = processes_.find(key); last != processes_.end()) {
        const std::int64_t passed = now_ns - last->second.seen_ns;
        found.cpu_percent = 100 * seconds(usage->cpu_ns - last->second.cpu_ns) / std::max(seconds(passed), 1e-9);
        found.calls_per_s = rate(all[i].calls_served, last->second.calls, passed);
      }
      now[key] = {usage->cpu_ns, all[i].calls_served, now_ns};
      frame.processes.push_back(found);
    }
  }
  processes_ = std::move(now);
}

/// What threads that run calls, and first threads, wait for in channels.
void watcher::add_sleepers(watch_frame& frame) {
  struct place {
    const live_session* session;
    const session_process_report* process;
  };
  std::map<std::int32_t, place> threads;
  for (const live_session& session : frame.look.sessions) {
    for (std::size_t i = 0; i < session.live.size(); ++i) {
      const session_process_report& process = session.report.processes[i];
      if (process.id == kControlProcess) threads[process.who.pid] = {&session, &process};
      for (const run_report& run : session.live[i].runs) threads[run.thread] = {&session, &process};
    }
  }
  for (const wait_report& noted : frame.look.waits) threads.erase(noted.thread);
  for (const watched_channel& channel : frame.channels) {
    for (const channel_sleeper& each : channel.sleepers) {
      const auto found = threads.find(each.thread);
      if (found == threads.end()) continue;
      wait_report wait;
      wait.who = found->second.process->who;
      wait.realm = found->second.session->realm;
      wait.process = found->second.process->id;
      wait.thread = each.thread;
      wait.since_ns = each.since_ns;
      wait.object = channel.name;
      wait.text = channel_wait_text(each.what, channel.name);
      frame.look.waits.push_back(std::move(wait));
    }
  }
}

watch_frame watcher::look() {
  watch_frame frame;
  frame.taken_ns = monotonic_ns();
  if (last_ns_ != 0) frame.since_last_s = seconds(frame.taken_ns - last_ns_);
  last_ns_ = frame.taken_ns;
  frame.look = look_at_sessions(sort_out(shm::list_segments()));
  look_at_channels(frame);
  look_at_processes(frame);
  add_sleepers(frame);
  return frame;
}

}  // namespace weir::inspect
