// SPDX-License-Identifier: BSL-1.0
#include "inspect/trace_timeline.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace weir::inspect {
namespace {

using trace::event_kind;

struct placed_event {
  const traced_process* process;
  const trace_event* event;
};

std::vector<placed_event> all_events(const trace_report& report) {
  std::vector<placed_event> all;
  for (const traced_process& process : report.processes) {
    for (const trace_event& event : process.events) all.push_back({&process, &event});
  }
  // Of the same nanosecond a put comes before a take, and a call before a run.
  std::stable_sort(all.begin(), all.end(), [](const placed_event& a, const placed_event& b) {
    return std::pair(a.event->time_ns, a.event->kind) < std::pair(b.event->time_ns, b.event->kind);
  });
  return all;
}

/// Ticket of a channel's item.
struct item_key {
  std::uint64_t channel;
  std::uint64_t ticket;
  friend bool operator==(const item_key&, const item_key&) = default;
};
struct item_hash {
  std::size_t operator()(const item_key& key) const noexcept {
    return static_cast<std::size_t>(key.channel * 0x9e3779b97f4a7c15U ^ key.ticket);
  }
};
using call_key = std::tuple<process_id, process_id, std::uint64_t>;  // caller, callee, number

class builder {
 public:
  explicit builder(trace_timeline& out) : out_(out) {}

  void add(const placed_event& at) {
    const trace_event& e = *at.event;
    end_instant(e);
    switch (e.kind) {
      case event_kind::put: puts_[{e.object, e.number}] = add_instant(at); return;
      case event_kind::take: end_flow(puts_, item_key{e.object, e.number}, add_instant(at)); return;
      case event_kind::moved: move_up(e); return;
      case event_kind::call: calls_[{e.process, e.peer, e.number}] = add_instant(at); return;
      case event_kind::run_begin:
        open_[thread_of(e)].push_back(add_slice(at));
        end_flow(calls_, call_key{e.peer, e.process, e.number}, out_.slices.size() - 1);
        return;
      case event_kind::wait_begin: open_[thread_of(e)].push_back(add_slice(at)); return;
      case event_kind::run_end: close(e, event_kind::run_begin); return;
      case event_kind::wait_end: close(e, event_kind::wait_begin); return;
      case event_kind::answer: add_instant(at); return;
      case event_kind::thread:
      case event_kind::none: return;
    }
  }
  void finish() {
    for (const auto& [thread, slices] : open_) {
      for (const std::size_t index : slices) {
        out_.slices[index].is_finished = false;
        out_.slices[index].end_ns = out_.end_ns;
      }
    }
  }

 private:
  using thread_key = std::pair<process_id, std::int32_t>;
  static thread_key thread_of(const trace_event& e) { return {e.process, e.thread}; }

  std::size_t add_slice(const placed_event& at) {
    out_.slices.push_back({at.process, at.event, at.event->time_ns, at.event->time_ns});
    return out_.slices.size() - 1;
  }
  std::size_t add_instant(const placed_event& at) {
    const std::size_t index = add_slice(at);
    out_.slices[index].end_ns += kInstantNs;
    instants_[thread_of(*at.event)] = index;
    return index;
  }
  void end_instant(const trace_event& next) {
    const auto last = instants_.find(thread_of(next));
    if (last == instants_.end()) return;
    trace_slice& slice = out_.slices[last->second];
    slice.end_ns = std::min(slice.end_ns, next.time_ns);
    instants_.erase(last);
  }
  template <class Map, class Key>
  void end_flow(Map& begun, const Key& key, std::size_t to) {
    const auto found = begun.find(key);
    if (found == begun.end()) return;
    out_.flows.push_back({found->second, to});
    begun.erase(found);  // the item is taken once
  }
  /// The put that had the place of the gap never returned; its item is none.
  void move_up(const trace_event& e) {
    puts_.erase({e.object, e.number + 1});
    const auto found = puts_.find({e.object, e.number});
    if (found == puts_.end()) return;
    const std::size_t slice = found->second;
    puts_.erase(found);
    puts_[{e.object, e.number + 1}] = slice;
  }
  /// What lies in the slice that ends, and has not ended, has lost its end.
  void close(const trace_event& e, event_kind begun_as) {
    std::vector<std::size_t>& open = open_[thread_of(e)];
    for (std::size_t i = open.size(); i-- > 0;) {
      trace_slice& slice = out_.slices[open[i]];
      const bool is_it = slice.event->kind == begun_as && slice.event->number == e.number &&
                         (begun_as == event_kind::run_begin || slice.event->object == e.object);
      if (!is_it) continue;
      slice.end_ns = e.time_ns;
      slice.threw = begun_as == event_kind::run_begin && e.detail != 0;
      for (std::size_t inner = i + 1; inner < open.size(); ++inner) {
        out_.slices[open[inner]].is_finished = false;
        out_.slices[open[inner]].end_ns = e.time_ns;
      }
      open.resize(i);
      return;
    }
  }

  trace_timeline& out_;
  std::unordered_map<item_key, std::size_t, item_hash> puts_;
  std::map<call_key, std::size_t> calls_;
  std::map<thread_key, std::vector<std::size_t>> open_;  // the innermost last
  std::map<thread_key, std::size_t> instants_;           // each thread's last, if nothing has come since
};

}  // namespace

trace_timeline make_timeline(const trace_report& report) {
  trace_timeline out;
  const std::vector<placed_event> all = all_events(report);
  if (all.empty()) return out;
  out.begin_ns = all.front().event->time_ns;
  out.end_ns = all.back().event->time_ns;
  out.slices.reserve(all.size());
  builder make(out);
  for (const placed_event& each : all) make.add(each);
  make.finish();
  return out;
}

}  // namespace weir::inspect
