// SPDX-License-Identifier: BSL-1.0
#include "inspect/live.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

#include "inspect/copy_of.hpp"

namespace weir::inspect {
namespace {

namespace rt = weir::runtime;

struct record_copy {
  alignas(rt::live_record) std::byte bytes[sizeof(rt::live_record)];
  [[nodiscard]] const rt::live_record& get() const noexcept { return *reinterpret_cast<const rt::live_record*>(bytes); }
};

template <class Entry>
bool is_same(const Entry& a, const Entry& b) noexcept {
  return std::memcmp(static_cast<const void*>(&a), static_cast<const void*>(&b), sizeof(Entry)) == 0;
}

noted_wait_report describe(const sync::wait_entry& entry) {
  noted_wait_report out;
  out.what = sync::kind_of_wait(entry.word.load(kRelaxed));
  out.thread = entry.thread.load(kRelaxed);
  out.since_ns = entry.since_ns;
  out.until_ns = entry.until_ns;
  out.process = entry.process;
  out.owner = entry.owner;
  out.slot = entry.slot;
  out.generation = entry.generation;
  out.object.assign(entry.object, ::strnlen(entry.object, sizeof entry.object));
  return out;
}

run_report describe(const rt::run_entry& entry) {
  run_report out;
  out.thread = entry.thread;
  out.since_ns = entry.since_ns;
  out.function = entry.function;
  out.trampoline = entry.trampoline;
  out.module.assign(entry.module, std::min<std::size_t>(entry.module_bytes, sizeof entry.module));
  out.caller = entry.caller;
  out.slot = entry.slot;
  out.generation = entry.generation;
  return out;
}

}  // namespace

live_report read_live(const segment_file& table, process_id id) {
  live_report out;
  const auto first = std::make_unique<record_copy>();
  const auto second = std::make_unique<record_copy>();
  const std::uint64_t offset = rt::live_offset(id);
  if (!table.read(offset, first->bytes) || !table.read(offset, second->bytes)) return out;
  for (std::size_t i = 0; i < sync::kWaitEntries; ++i) {
    const sync::wait_entry& entry = first->get().waits.entries[i];
    if (!sync::is_noted(sync::kind_of_wait(entry.word.load(kRelaxed)))) continue;
    if (is_same(entry, second->get().waits.entries[i])) out.waits.push_back(describe(entry));
  }
  for (std::size_t i = 0; i < rt::kRunEntries; ++i) {
    const rt::run_entry& entry = first->get().runs[i];
    if ((entry.word.load(kRelaxed) & 1U) == 0) continue;
    if (is_same(entry, second->get().runs[i])) out.runs.push_back(describe(entry));
  }
  for (std::size_t i = 0; i < sync::kIdleEntries; ++i) {
    const std::int32_t thread = first->get().waits.idle[i].load(kRelaxed);
    if (thread != 0 && thread == second->get().waits.idle[i].load(kRelaxed)) out.idle.push_back(thread);
  }
  const auto longest_first = [](const auto& a, const auto& b) { return a.since_ns < b.since_ns; };
  std::sort(out.runs.begin(), out.runs.end(), longest_first);
  std::sort(out.waits.begin(), out.waits.end(), longest_first);
  return out;
}

}  // namespace weir::inspect
