// SPDX-License-Identifier: BSL-1.0
#include "runtime/run_note.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "sync/thread_id.hpp"
#include "weir/detail/crash_point.hpp"

namespace weir::runtime {
namespace {

constexpr std::uint32_t kRuns = 1;

}  // namespace

void note_run(run_entry* entry, const run_description& what) noexcept {
  if (entry == nullptr) return;
  const std::uint32_t over = (entry->word.load(std::memory_order_relaxed) & ~kRuns) + 2;
  entry->word.store(over, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);  // nothing of what follows is written before that
  entry->thread = sync::thread_id();
  entry->since_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  entry->function = what.function;
  entry->trampoline = what.trampoline;
  entry->caller = what.caller;
  entry->slot = what.slot;
  entry->generation = what.generation;
  // The end of the name tells more than its beginning.
  const std::string_view module =
      what.module.substr(what.module.size() - std::min(what.module.size(), kRunModuleBytes));
  entry->module_bytes = static_cast<std::uint32_t>(module.size());
  if (!module.empty()) std::memcpy(entry->module, module.data(), module.size());
  WEIR_CRASH_POINT("run.described");
  // For whoever reads the file (inspect/live.cpp): an entry that is the same twice was whole in between.
  entry->word.store(over | kRuns, std::memory_order_release);
  WEIR_CRASH_POINT("run.noted");
}

void note_run_over(run_entry* entry) noexcept {
  if (entry == nullptr) return;
  entry->word.store(entry->word.load(std::memory_order_relaxed) & ~kRuns, std::memory_order_release);
  WEIR_CRASH_POINT("run.over");
}

}  // namespace weir::runtime
