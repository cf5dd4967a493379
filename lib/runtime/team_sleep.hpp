// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>

#include "runtime/team_core.hpp"
#include "sync/blocking.hpp"
#include "sync/heavy_fence.hpp"

namespace weir::detail {

/// One wait of a rank that has come to sleeping. What it sleeps in can be seen from outside while this lives.
class team_core::asleep {
 public:
  asleep(team_core& core, runtime::rank_waits what, std::uint32_t other = 0, std::int64_t tag = 0) noexcept
      : core_(core) {
    core_.own_.waits_for.store(other, std::memory_order_relaxed);
    core_.own_.waits_tag.store(tag, std::memory_order_relaxed);
    core_.own_.waits.store(what, std::memory_order_release);
  }
  asleep(const asleep&) = delete;
  asleep& operator=(const asleep&) = delete;
  ~asleep() { core_.own_.waits.store(runtime::rank_waits::nothing, std::memory_order_release); }

  /// Sleeps on the team's event until the condition holds, 100 ms at most between two looks.
  template <class Condition>
  void until(const Condition& condition) {
    sync::shared_event& event = core_.segment_.header().event;
    sync::blocking_scope scope(
        {.what = sync::wait_kind::team, .slot = core_.rank_, .object = core_.segment_.file().name()});
    for (;;) {
      const std::uint32_t seen = event.prepare();
      // Ranks that come look for sleepers without a fence of their own (docs/decisions/0010).
      sync::heavy_fence();
      if (condition()) return;
      scope.about_to_sleep();
      event.sleep(seen, std::chrono::steady_clock::time_point::max());
    }
  }

 private:
  team_core& core_;
};

}  // namespace weir::detail
