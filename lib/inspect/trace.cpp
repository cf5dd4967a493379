// SPDX-License-Identifier: BSL-1.0
#include "inspect/trace.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

#include "inspect/copy_of.hpp"
#include "inspect/segments.hpp"
#include "runtime/census.hpp"
#include "segment/names.hpp"
#include "sync/blocking.hpp"

namespace weir::inspect {
namespace {

namespace tr = weir::trace;

std::string text_in(const char* from, std::size_t most) { return {from, ::strnlen(from, most)}; }

/// The head of a ring as it is now; nothing: it cannot be read.
std::optional<std::uint64_t> head_of(const segment_file& file, std::size_t ring) {
  std::uint64_t head = 0;
  const std::uint64_t at = tr::kThreadsOffset + ring * sizeof(tr::thread_header);
  if (!file.read(at, std::as_writable_bytes(std::span(&head, 1)))) return std::nullopt;
  return head;
}

void read_ring(const segment_file& file, std::size_t ring, const tr::thread_header& header, std::int64_t since_ns,
               traced_process& out) {
  const std::uint64_t end = header.head.load(kRelaxed);
  if (end == 0) return;
  const auto records = file.read_rows<tr::event_record>(tr::kRingsOffset + ring * tr::kRingBytes, tr::kRecords,
                                                        sizeof(tr::event_record));
  const auto later = head_of(file, ring);
  if (records.size() != tr::kRecords || !later || *later < end) {
    ++out.damaged;
    return;
  }
  // What has been written to since we began to read, and what is being written now.
  const std::uint64_t begin = *later >= tr::kRecords ? *later - tr::kRecords + 1 : 0;
  out.recorded += end;
  out.overwritten += std::min(begin, end);

  std::vector<trace_event> found;
  std::optional<std::int32_t> first_thread;
  std::int32_t thread = header.thread.load(kRelaxed);
  std::int64_t last_ns = 0;
  std::size_t before_first = 0;
  for (std::uint64_t index = begin; index < end; ++index) {
    const tr::event_record& r = records[index % tr::kRecords];
    const auto kind = static_cast<std::uint8_t>(r.kind);
    if (r.sequence != static_cast<std::uint16_t>(index) || kind == 0 || kind > tr::kLastEventKind ||
        r.time_ns < last_ns) {
      ++out.damaged;
      continue;
    }
    last_ns = r.time_ns;
    if (r.kind == tr::event_kind::thread) {
      if (!first_thread) {
        first_thread = static_cast<std::int32_t>(r.object);
        before_first = found.size();
      }
      thread = static_cast<std::int32_t>(r.peer);
    } else if (r.time_ns >= since_ns) {
      found.push_back({r.time_ns, r.number, r.object, r.peer, thread, out.id, r.kind, r.detail});
    }
  }
  // Those before the ring's first change of hands are the thread's before.
  if (first_thread) {
    for (std::size_t i = 0; i < before_first; ++i) found[i].thread = *first_thread;
  }
  out.events.insert(out.events.end(), found.begin(), found.end());
}

void read_names(const segment_file& file, std::uint32_t count, traced_process& out) {
  const std::uint64_t most = std::min<std::uint64_t>(count, tr::kNames);
  for (const auto& entry : file.read_rows<tr::name_entry>(tr::kNamesOffset, most, sizeof(tr::name_entry))) {
    out.names[{entry.kind, entry.key}] = std::string(entry.text, std::min<std::size_t>(entry.bytes, sizeof entry.text));
  }
}

traced_process read_process(const std::string& name, process_id id, bool with_events) {
  traced_process out;
  out.id = id;
  const checked_segment checked = check_segment(name);
  if (!checked.report.header) {
    out.why = checked.report.why;
    if (out.why.empty()) out.why = text_of(checked.report.state);
    return out;
  }
  const header_report& h = *checked.report.header;
  out.who = h.creator;
  out.life = h.creator_life;
  copy_of<tr::trace_header> header;
  const auto fail = [&](std::string_view why) {
    out.why = why;
    return out;
  };
  if (h.kind != shm::object_kind::trace) return fail("it is no trace");
  if (checked.report.file_bytes != tr::kTraceFileBytes) return fail("its file has another length than a trace's");
  if (!checked.file.read(tr::kTraceHeaderOffset, header.bytes)) return fail("its header cannot be read");
  const tr::trace_header& t = header.get();
  if (t.process != id) return fail(fmt::format("its header says that it is process {}'s", t.process));
  out.program = text_in(t.program, sizeof t.program);
  out.follows = t.follows.load(kRelaxed);
  out.refused = t.refused.load(kRelaxed);
  out.real_offset_ns = t.real_offset_ns;
  out.recording = t.on.load(kRelaxed) != 0 && out.life != shm::liveness::dead;
  if (!with_events) return out;
  const std::int64_t since_ns = t.on_since_ns.load(kRelaxed);
  const auto threads =
      checked.file.read_rows<copy_of<tr::thread_header>>(tr::kThreadsOffset, tr::kRings, sizeof(tr::thread_header));
  for (std::size_t ring = 0; ring < threads.size(); ++ring) {
    read_ring(checked.file, ring, threads[ring].get(), since_ns, out);
  }
  std::stable_sort(out.events.begin(), out.events.end(),
                   [](const trace_event& a, const trace_event& b) { return a.time_ns < b.time_ns; });
  // After the records: what they name was written before them.
  if (checked.file.read(tr::kTraceHeaderOffset, header.bytes)) read_names(checked.file, t.names.load(kRelaxed), out);
  return out;
}

std::string prefix_of(std::string_view realm) { return fmt::format("@{}.trace.", realm); }

const char* text_of_wait(std::uint8_t detail) noexcept {
  switch (static_cast<sync::wait_kind>(detail)) {
    case sync::wait_kind::none: break;
    case sync::wait_kind::result: return "wait for a result";
    case sync::wait_kind::map: return "wait for answers of a map";
    case sync::wait_kind::array_lock: return "wait for the lock";
    case sync::wait_kind::array_sharers: return "wait for those who share the lock";
    case sync::wait_kind::array_resize: return "wait for a resize";
    case sync::wait_kind::team: return "wait for the team";
    case sync::wait_kind::worker_start: return "wait for a worker to start";
    case sync::wait_kind::workers: return "wait for workers to start or end";
    case sync::wait_kind::output: return "wait for output to be printed";
    case sync::wait_kind::inbox: return "wait for room in an inbox";
    case sync::wait_kind::item: return "wait for an item";
    case sync::wait_kind::room: return "wait for room";
    case sync::wait_kind::block: return "wait for a block";
    case sync::wait_kind::pickup: return "wait for a taker";
    case sync::wait_kind::channels: return "wait for one of several channels";
  }
  return "wait";
}

}  // namespace

trace_report read_trace(std::string_view realm) {
  trace_report out;
  out.realm = realm;
  out.session_is_there = segment_file(fmt::format("@{}.session", realm)).can() == segment_file::access::readable;
  const std::string prefix = prefix_of(realm);
  for (const std::string& name : shm::list_segments(prefix)) {
    process_id id = 0;
    const char* const end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + prefix.size(), end, id);
    if (parsed.ptr != end || parsed.ec != std::errc()) continue;
    out.processes.push_back(read_process(name, id, /*with_events=*/true));
  }
  std::sort(out.processes.begin(), out.processes.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return out;
}

traced_process look_at_trace(std::string_view realm, process_id process) {
  return read_process(fmt::format("{}{}", prefix_of(realm), process), process, /*with_events=*/false);
}

std::vector<std::string> find_realms(std::string_view given) {
  std::string wanted = resolve_name(given);
  if (wanted.starts_with('@')) wanted = wanted.substr(1, wanted.find('.') - 1);
  std::vector<std::string> found;
  for (const std::string& name : shm::list_segments("@")) {
    const std::string_view realm = runtime::realm_in(name);
    if (realm.empty() || !realm.starts_with(wanted)) continue;
    const std::string_view word = std::string_view(name).substr(realm.size() + 2);
    if (word != "session" && !word.starts_with("trace.")) continue;
    if (found.empty() || found.back() != realm) found.emplace_back(realm);
  }
  return found;
}

std::string text_of(const trace_event& event) {
  switch (event.kind) {
    case tr::event_kind::put: return "put";
    case tr::event_kind::take: return "take";
    case tr::event_kind::wait_begin: return text_of_wait(event.detail);
    case tr::event_kind::wait_end: return fmt::format("end of {}", text_of_wait(event.detail));
    case tr::event_kind::call: return "call";
    case tr::event_kind::run_begin: return "run";
    case tr::event_kind::run_end: return event.detail != 0 ? "end of run, it threw" : "end of run";
    case tr::event_kind::answer: return "answer";
    case tr::event_kind::moved: return "item moved up";
    case tr::event_kind::thread:
    case tr::event_kind::none: break;
  }
  return "-";
}

std::string object_of(const traced_process& process, const trace_event& event) {
  const auto named = [&](tr::name_kind kind, std::string_view what) {
    const auto found = process.names.find({kind, event.object});
    return found != process.names.end() ? found->second : fmt::format("{} {:#x}", what, event.object);
  };
  switch (event.kind) {
    case tr::event_kind::put:
    case tr::event_kind::take:
    case tr::event_kind::moved: return named(tr::name_kind::channel, "channel");
    case tr::event_kind::call:
    case tr::event_kind::run_begin:
    case tr::event_kind::run_end: return named(tr::name_kind::function, "function");
    case tr::event_kind::wait_begin:
    case tr::event_kind::wait_end: break;
    default: return {};
  }
  switch (static_cast<sync::wait_kind>(event.detail)) {
    case sync::wait_kind::item:
    case sync::wait_kind::room:
    case sync::wait_kind::block:
    case sync::wait_kind::pickup: return named(tr::name_kind::channel, "channel");
    case sync::wait_kind::array_lock:
    case sync::wait_kind::array_sharers:
    case sync::wait_kind::array_resize: return named(tr::name_kind::array, "array");
    case sync::wait_kind::result:
    case sync::wait_kind::worker_start: return event.object == 0 ? "" : fmt::format("worker {}", event.object);
    default: return {};
  }
}

}  // namespace weir::inspect
