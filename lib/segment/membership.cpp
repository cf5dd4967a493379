// SPDX-License-Identifier: BSL-1.0
#include "segment/membership.hpp"

#include <atomic>

namespace weir {
namespace {
std::atomic<process_id> g_my_id{kControlProcess};
std::atomic<std::uint64_t> g_last_object_id{0};
}  // namespace

process_id my_id() noexcept { return g_my_id.load(std::memory_order_relaxed); }

namespace shm {

void set_my_id(process_id id) noexcept { g_my_id.store(id, std::memory_order_relaxed); }

std::uint64_t next_object_id() noexcept { return g_last_object_id.fetch_add(1, std::memory_order_relaxed) + 1; }

}  // namespace shm
}  // namespace weir
