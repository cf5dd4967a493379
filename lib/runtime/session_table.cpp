// SPDX-License-Identifier: BSL-1.0
#include "runtime/session_table.hpp"

#include <fmt/core.h>

#include <chrono>
#include <new>

#include "segment/names.hpp"
#include "weir/detail/crash_point.hpp"

namespace weir::runtime {
namespace {

std::int64_t real_time_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

session_table session_table::create() {
  shm::segment_spec spec;
  spec.name = shm::own_name(kSessionWord);
  spec.kind = shm::object_kind::session;
  session_table made;
  *made.segment_ = shm::segment::create(
      "start session", spec, kSessionFileBytes, kEntriesOffset + shm::kPage, [](shm::segment& segment) {
        auto* header = new (segment.base() + kSessionHeaderOffset) session_header{};
        header->next_id.store(kControlProcess + 1, std::memory_order_relaxed);
        segment.reserve("start session", live_offset(kControlProcess), sizeof(live_record));
        auto* own = new (segment.base() + kEntriesOffset + kControlProcess * sizeof(process_entry)) process_entry{};
        own->id.store(kControlProcess, std::memory_order_relaxed);
        own->who = shm::this_process();
        own->concurrency.store(1, std::memory_order_relaxed);
        own->started_ns.store(real_time_ns(), std::memory_order_relaxed);
        own->state.store(worker_state::running, std::memory_order_release);  // pairs with the acquire in is_gone()
      });
  return made;
}

session_table session_table::attach() {
  session_table found;
  *found.segment_ = shm::segment::open("join session", shm::own_name(kSessionWord), shm::object_kind::session);
  if (found.segment_->bytes() != kSessionFileBytes) {
    throw corrupt_segment(fmt::format("weir: join session \"{}\": the table has {} bytes, {} expected",
                                      found.segment_->name(), found.segment_->bytes(), kSessionFileBytes));
  }
  return found;
}

bool session_table::was_used(process_id id) const noexcept {
  // Pairs with the release in add_process(): entries below next_id have memory.
  return id >= kControlProcess && id < header().next_id.load(std::memory_order_acquire);
}

process_entry* session_table::find(process_id id) const noexcept {
  if (!was_used(id)) return nullptr;
  process_entry& entry = entry_at(id);
  return entry.id.load(std::memory_order_acquire) == id ? &entry : nullptr;
}

bool session_table::is_gone(process_id id) const noexcept {
  const process_entry* entry = find(id);
  if (entry == nullptr) return true;
  // Pairs with the release in set_gone().
  return entry->state.load(std::memory_order_acquire) == worker_state::gone ||
         entry->id.load(std::memory_order_acquire) != id;
}

exit_report session_table::report_of(process_id id) const noexcept {
  exit_report report;
  const process_entry* entry = find(id);
  if (entry == nullptr || entry->state.load(std::memory_order_acquire) != worker_state::gone) return report;
  const exit_kind how = entry->how.load(std::memory_order_relaxed);
  const int value = entry->exit_value.load(std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_acquire);
  if (entry->id.load(std::memory_order_relaxed) != id) return report;  // taken over while we read
  if (how == exit_kind::exited) report.exit_status = value;
  if (how == exit_kind::signalled) report.signal = value;
  return report;
}

void session_table::reserve_entry(process_id id) {
  const std::size_t offset = kEntriesOffset + (id % kEntries) * sizeof(process_entry);
  segment_->reserve("start worker", offset / shm::kPage * shm::kPage, shm::kPage);
  segment_->reserve("start worker", live_offset(id), sizeof(live_record));
}

process_id session_table::add_process(std::uint32_t concurrency) {
  process_id id = header().next_id.load(std::memory_order_relaxed);
  std::uint32_t skipped = 0;
  for (;; ++id, ++skipped) {
    if (skipped == kEntries) {
      throw invalid_argument(fmt::format("weir: start worker: the session has {} workers already", kEntries - 1));
    }
    reserve_entry(id);
    const worker_state state = entry_at(id).state.load(std::memory_order_relaxed);
    if (state == worker_state::vacant || state == worker_state::gone) break;
  }
  process_entry& entry = entry_at(id);
  WEIR_CRASH_POINT("session.add.begin");
  entry.id.store(id, std::memory_order_release);  // first: who still reads of the last one sees that it is another
  WEIR_CRASH_POINT("session.add.named");
  entry.state.store(worker_state::starting, std::memory_order_release);
  WEIR_CRASH_POINT("session.add.starting");
  entry.who = {};
  entry.how.store(exit_kind::unknown, std::memory_order_relaxed);
  entry.exit_value.store(0, std::memory_order_relaxed);
  entry.concurrency.store(concurrency, std::memory_order_relaxed);
  entry.told_to_end.store(0, std::memory_order_relaxed);
  entry.started_ns.store(real_time_ns(), std::memory_order_relaxed);
  entry.output_busy.store(0, std::memory_order_relaxed);
  entry.output_partial.store(0, std::memory_order_relaxed);
  for (auto& bytes : entry.output_bytes) bytes.store(0, std::memory_order_relaxed);
  entry.calls_started.store(0, std::memory_order_relaxed);
  entry.calls_served.store(0, std::memory_order_relaxed);
  entry.last_started_ns.store(0, std::memory_order_relaxed);
  entry.running_calls.store(0, std::memory_order_relaxed);
  entry.waiting_calls.store(0, std::memory_order_relaxed);
  entry.waits.store(0, std::memory_order_relaxed);
  new (live(id).get()) live_record{};
  WEIR_CRASH_POINT("session.add.written");
  header().next_id.store(id + 1, std::memory_order_release);  // pairs with the acquire in was_used()
  WEIR_CRASH_POINT("session.add.done");
  return id;
}

void session_table::set_running(process_id id) {
  process_entry& entry = entry_at(id);
  WEIR_CRASH_POINT("session.run.begin");
  entry.who = shm::this_process();
  WEIR_CRASH_POINT("session.run.named");
  entry.state.store(worker_state::running, std::memory_order_release);  // pairs with the acquires of those who call it
  WEIR_CRASH_POINT("session.run.running");
  header().workers.signal();
  header().completions.signal();
  WEIR_CRASH_POINT("session.run.told");
}

void session_table::set_gone(process_id id, exit_kind how, int value) noexcept {
  process_entry& entry = entry_at(id);
  WEIR_CRASH_POINT("session.gone.begin");
  entry.how.store(how, std::memory_order_relaxed);
  entry.exit_value.store(value, std::memory_order_relaxed);
  WEIR_CRASH_POINT("session.gone.written");
  entry.state.store(worker_state::gone,
                    std::memory_order_seq_cst);  // pairs with the acquires in is_gone(), report_of()
  WEIR_CRASH_POINT("session.gone.stored");
  header().workers.signal();
  header().completions.signal();
  WEIR_CRASH_POINT("session.gone.told");
}

std::optional<exit_report> death_watch::ended() {
  if (table_.is_gone(id_)) return table_.report_of(id_);
  const process_entry* entry = table_.find(id_);
  if (entry == nullptr || entry->state.load(std::memory_order_acquire) != worker_state::running) return std::nullopt;
  const auto now = clock::now();
  if (!seen_dead_) {
    if (!last_look_) last_look_ = now;
    if (now - *last_look_ < kLookAfter) return std::nullopt;
    last_look_ = now;
    if (!shm::is_dead(entry->who)) return std::nullopt;
    seen_dead_ = now;
  }
  if (now - *seen_dead_ < kWaitForReport) return std::nullopt;
  return table_.is_gone(id_) ? table_.report_of(id_) : exit_report{};
}

worker_died make_worker_died(std::string_view operation, process_id id, const exit_report& report) {
  return {fmt::format("weir: {}: worker {} has ended: {}", operation, id, report.text()), id, report};
}

}  // namespace weir::runtime
