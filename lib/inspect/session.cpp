// SPDX-License-Identifier: BSL-1.0
#include "inspect/session.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <memory>

#include "inspect/copy_of.hpp"

namespace weir::inspect {
namespace {

namespace rt = weir::runtime;

/// An entry is read as bytes and looked at as what it is: this copy is ours alone.
struct entry_copy {
  alignas(rt::process_entry) std::byte bytes[sizeof(rt::process_entry)];
  [[nodiscard]] const rt::process_entry& get() const noexcept {
    return *reinterpret_cast<const rt::process_entry*>(bytes);
  }
};

session_process_report describe(const rt::process_entry& entry) {
  session_process_report out;
  out.id = entry.id.load(kRelaxed);
  out.state = entry.state.load(kRelaxed);
  out.who = entry.who;
  out.life = shm::look(entry.who);
  if (out.state == rt::worker_state::gone) {
    const int value = entry.exit_value.load(kRelaxed);
    if (entry.how.load(kRelaxed) == rt::exit_kind::exited) out.ended.exit_status = value;
    if (entry.how.load(kRelaxed) == rt::exit_kind::signalled) out.ended.signal = value;
  }
  out.concurrency = entry.concurrency.load(kRelaxed);
  out.started_ns = entry.started_ns.load(kRelaxed);
  out.calls_started = entry.calls_started.load(kRelaxed);
  out.calls_served = entry.calls_served.load(kRelaxed);
  out.running_calls = entry.running_calls.load(kRelaxed);
  out.waiting_calls = entry.waiting_calls.load(kRelaxed);
  return out;
}

/// What keeps the table from being believed; empty: nothing.
std::string read_table(const segment_file& file, session_report& out) {
  if (file.file_bytes() != rt::kSessionFileBytes) {
    return fmt::format("the file has {} bytes, a session's table {}", file.file_bytes(), rt::kSessionFileBytes);
  }
  const auto header = std::make_unique<rt::session_header>();
  if (!file.read(rt::kSessionHeaderOffset, {reinterpret_cast<std::byte*>(header.get()), sizeof *header})) {
    return "the table's header cannot be read";
  }
  out.next_id = header->next_id.load(std::memory_order_relaxed);
  out.ending = header->ending.load(std::memory_order_relaxed) != 0;
  if (out.next_id <= kControlProcess) return fmt::format("its next process would have the number {}", out.next_id);
  const std::uint32_t entries = std::min(out.next_id, rt::kEntries);
  for (const entry_copy& copy : file.read_rows<entry_copy>(rt::kEntriesOffset, entries, sizeof(rt::process_entry))) {
    const session_process_report process = describe(copy.get());
    if (process.state == rt::worker_state::vacant) continue;
    if (process.state > rt::worker_state::gone) {
      return fmt::format("process {} is in a state {} that there is not", process.id,
                         static_cast<unsigned>(process.state));
    }
    if (process.id != 0 && process.id < out.next_id) out.processes.push_back(process);
  }
  std::sort(out.processes.begin(), out.processes.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return {};
}

}  // namespace

session_report describe_session(checked_segment checked) {
  session_report out;
  out.segment = std::move(checked.report);
  if (!out.segment.header) return out;
  if (out.segment.header->kind == shm::object_kind::session) {
    std::string why = read_table(checked.file, out);
    out.readable = why.empty();
    if (!out.readable) {
      mark_corrupt(out.segment, std::move(why));
      return out;
    }
    out.segment.items = static_cast<std::uint64_t>(
        std::count_if(out.processes.begin(), out.processes.end(), [](const session_process_report& p) {
          return p.id != kControlProcess && p.state == rt::worker_state::running && p.life != shm::liveness::dead;
        }));
  }
  settle_state(out.segment, {}, /*pinned=*/false);
  return out;
}

session_report describe_session(std::string_view name) { return describe_session(check_segment(name)); }

}  // namespace weir::inspect
