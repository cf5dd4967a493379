// SPDX-License-Identifier: BSL-1.0
#include "runtime/member.hpp"
#include "weir/detail/owner_calls.hpp"

namespace weir::detail {

std::vector<process_id> running_workers() {
  std::vector<process_id> found;
  const auto self = runtime::member::current();
  if (!self || self->is_forked()) return found;
  const process_id end = self->table().header().next_id.load(std::memory_order_acquire);
  for (process_id id = kControlProcess + 1; id < end; ++id) {
    const runtime::process_entry* entry = self->table().find(id);
    if (entry == nullptr || entry->state.load(std::memory_order_acquire) != runtime::worker_state::running) continue;
    found.push_back(id);
  }
  return found;
}

}  // namespace weir::detail
