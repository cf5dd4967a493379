// SPDX-License-Identifier: BSL-1.0
#include "weir_json.hpp"

#include <fmt/core.h>

#include "weir_output.hpp"

namespace weir::command {
namespace {

using inspect::text_of;

constexpr double kNanosecondsASecond = 1e9;

json known(const auto& value) { return value ? json(*value) : json(nullptr); }

json seconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / kNanosecondsASecond; }

json process(const shm::process_identity& who, shm::liveness life) {
  return {{"pid", who.pid},
          {"alive", life == shm::liveness::unknown ? json(nullptr) : json(life == shm::liveness::alive)}};
}

/// {"empty": 3, "full": 1, …}
template <class Phase, std::size_t N>
json counts(const std::array<std::uint64_t, N>& in) {
  json out = json::object();
  for (std::size_t i = 0; i < N; ++i) out[text_of(static_cast<Phase>(i))] = in[i];
  return out;
}

json owner(std::uint32_t participant, std::int32_t pid) {
  return {{"participant", participant == 0 ? json(nullptr) : json(participant)},
          {"pid", pid == 0 ? json(nullptr) : json(pid)}};
}

json slots_of(const inspect::channel_report& report) {
  json out = json::array();
  for (const auto& s : report.slots) {
    json slot{{"index", s.index}};
    if (s.whole) {
      slot["phase"] = text_of(s.phase);
      slot["ticket"] = s.ticket;
      slot["turn"] = s.turn;
      slot["owner"] = owner(s.owner, s.pid);
      slot["bytes"] = s.has_item ? json(s.bytes) : json(nullptr);
      slot["block"] = known(s.block);
    } else {
      slot["phase"] = nullptr;  // changes too fast to be seen
    }
    out.push_back(std::move(slot));
  }
  return out;
}

json views_of(const inspect::channel_report& report) {
  json out = json::array();
  for (const auto& v : report.views) {
    out.push_back({{"slot", v.slot},
                   {"phase", text_of(v.phase)},
                   {"ticket", v.ticket},
                   {"owner", owner(v.owner, v.pid)},
                   {"bytes", v.bytes}});
  }
  return out;
}

json blocks_of(const inspect::channel_report& report) {
  json out = json::array();
  for (const auto& b : report.blocks) {
    json block{{"index", b.index}};
    if (b.whole) {
      block["phase"] = text_of(b.phase);
      block["owner"] = owner(b.owner, b.pid);
      block["bytes"] = b.bytes;
      block["reserved_bytes"] = b.reserved;
      block["ticket"] = b.ticket;
    } else {
      block["phase"] = nullptr;
    }
    out.push_back(std::move(block));
  }
  return out;
}

json lock_of(const inspect::lock_report& lock) {
  const bool somebody = lock.held || lock.owner_died;
  json out{{"held", somebody}};
  out["thread"] = lock.thread == 0 ? json(nullptr) : json(lock.thread);
  out["pid"] = lock.pid == 0 ? json(nullptr) : json(lock.pid);
  out["alive"] =
      !somebody || lock.life == shm::liveness::unknown ? json(nullptr) : json(lock.life == shm::liveness::alive);
  out["contended"] = lock.contended;
  return out;
}

}  // namespace

json to_json(const inspect::segment_report& report) {
  json out{{"name", report.name}, {"state", text_of(report.state)}, {"why", report.why}, {"uid", report.owner}};
  out["file_bytes"] = report.file_bytes;
  out["reserved_bytes"] = report.reserved_bytes;
  out["used_bytes"] = known(report.used_bytes);
  out["items"] = known(report.items);
  out["capacity"] = known(report.capacity);
  if (!report.header) return out;
  const inspect::header_report& h = *report.header;
  out["kind"] = text_of(h.kind);
  out["type"] = h.type;
  out["named"] = h.named;
  out["where"] = h.where;
  out["whence"] = h.whence;
  out["id"] = h.id;
  out["realm"] = h.realm;
  out["creator"] = process(h.creator, h.creator_life);
  out["created_ns"] = h.created_ns;
  out["age_s"] = seconds(since_real(h.created_ns));
  return out;
}

json to_json(const inspect::channel_report& report, bool with_slots) {
  json out = to_json(report.segment);
  if (!report.readable) return out;
  const auto& g = report.geometry;
  out["closed"] = report.closed != channels::closing::open;
  out["close_reason"] = report.close_reason;
  out["settled"] = report.settled;
  out["tail"] = report.tail;
  out["head"] = report.head;
  out["slot_bytes"] = g.slot_bytes;
  out["block_bytes"] = g.block_stride;
  out["max_item_bytes"] = report.max_item_bytes;
  out["slots_in"] = counts<channels::phase>(report.slots_in);
  out["blocks_in"] = counts<channels::block_phase>(report.blocks_in);
  out["orphans"] = report.orphans;
  out["pins"] = report.pins;
  out["lock"] = lock_of(report.lock);
  out["participants"] = json::array();
  for (const auto& p : report.participants) {
    json one = process(p.who, p.life);
    one["entry"] = p.entry;
    one["process"] = p.process;
    one["attached_s"] = seconds(since_real(p.attached_ns));
    out["participants"].push_back(std::move(one));
  }
  out["waiters"] = json::array();
  for (const auto& w : report.waiters) {
    json one{{"waits_for", text_of(w.what)}, {"pid", w.pid}, {"thread", w.thread}};
    one["alive"] = w.life == shm::liveness::unknown ? json(nullptr) : json(w.life == shm::liveness::alive);
    one["since_s"] = seconds(since_monotonic(w.since_ns));
    one["until_s"] = w.until_ns == 0 ? json(nullptr) : seconds(-since_monotonic(w.until_ns));
    out["waiters"].push_back(std::move(one));
  }
  out["bindings"] = json::array();
  for (const auto& b : report.bindings) {
    json one = process(b.who, b.life);
    one["process"] = b.process;
    one["host"] = b.host;
    out["bindings"].push_back(std::move(one));
  }
  if (with_slots) {
    out["slots"] = slots_of(report);
    out["views"] = views_of(report);
    out["blocks"] = blocks_of(report);
  }
  out["problems"] = report.problems;
  return out;
}

json to_json(const inspect::array_report& report) {
  json out = to_json(report.segment);
  if (!report.readable) return out;
  out["element_bytes"] = report.constants.element_bytes;
  out["order"] = inspect::text_of(report.constants.order);
  out["extents"] = report.extents;
  out["max_rows"] = report.constants.max_rows;
  out["file"] = report.constants.file_bound ? json(report.path) : json(nullptr);
  out["pins"] = report.pins;
  out["lock"] = lock_of(report.lock);
  out["locked_alone"] = report.locked_alone;
  out["owner_died"] = report.owner_died;
  out["seats"] = json::array();
  for (const auto& seat : report.seats) {
    json one = process(seat.who, seat.life);
    one["seat"] = seat.number;
    one["process"] = seat.process;
    one["attached_s"] = seconds(since_real(seat.attached_ns));
    one["shares_lock"] = seat.sharers;
    out["seats"].push_back(std::move(one));
  }
  out["problems"] = report.problems;
  return out;
}

json to_json(const inspect::session_report& report) {
  json out = to_json(report.segment);
  if (!report.readable) return out;
  out["ending"] = report.ending;
  out["processes"] = json::array();
  for (const auto& p : report.processes) {
    json one{{"id", p.id}, {"state", text_of(p.state)}};
    one["pid"] = p.who.pid == 0 ? json(nullptr) : json(p.who.pid);
    one["alive"] = p.life == shm::liveness::unknown ? json(nullptr) : json(p.life == shm::liveness::alive);
    one["exit_status"] = known(p.ended.exit_status);
    one["signal"] = known(p.ended.signal);
    one["calls_started"] = p.calls_started;
    one["calls_served"] = p.calls_served;
    one["calls_running"] = p.running_calls;
    one["calls_waiting"] = p.waiting_calls;
    one["age_s"] = seconds(since_real(p.started_ns));
    out["processes"].push_back(std::move(one));
  }
  return out;
}

json to_json(const inspect::team_report& report) {
  json out = to_json(report.segment);
  if (!report.readable) return out;
  out["failed"] = report.failed.empty() ? json(nullptr) : json(report.failed);
  out["ranks"] = json::array();
  for (const auto& r : report.ranks) {
    json one{{"rank", r.rank}, {"worker", r.process}, {"state", text_of(r.state)}};
    one["process"] = r.who.pid == 0 ? json(nullptr) : process(r.who, r.life);
    one["operations"] = r.operations;
    one["operation"] = r.operation.empty() ? json(nullptr) : json(r.operation);
    one["waiting"] = r.is_waiting || !r.waits.empty();
    one["asleep_in"] = r.waits.empty() ? json(nullptr) : json(r.waits);
    out["ranks"].push_back(std::move(one));
  }
  return out;
}

void print(const json& value) { fmt::print("{}\n", value.dump(2, ' ', false, json::error_handler_t::replace)); }

}  // namespace weir::command
