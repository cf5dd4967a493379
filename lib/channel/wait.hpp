// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <climits>
#include <functional>
#include <optional>
#include <stop_token>
#include <utility>

#include "channel/channel_core.hpp"
#include "sync/blocking.hpp"

namespace weir::detail {

/// Nanoseconds of the monotonic clock: what waiter entries and looked_ns hold.
inline std::int64_t monotonic_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

template <class Once>
channel_core::wait_result channel_core::wait(ch::waits_for what, deadline until, const std::stop_token* stop,
                                             Once&& once) {
  const auto stopping = [&] { return stop != nullptr && stop->stop_requested(); };
  sync::spin_estimate& spin = what == ch::waits_for::item ? spin_for_item_ : spin_for_room_;
  for (std::uint32_t round = spin.rounds(); round != 0 && !stopping(); --round) {
    sync::relax();
    if (once() == attempt::done) {
      spin.paid();
      return wait_result::done;
    }
  }
  const auto sleeps_from = std::chrono::steady_clock::now();
  const std::int64_t since_ns = monotonic_ns();
  const auto came_at_last = [&] {
    spin.slept(std::chrono::steady_clock::now() - sleeps_from);
    return wait_result::done;
  };

  ch::event& event = event_of(what);
  const auto rouse = [&event] {
    event.epoch.fetch_add(1, std::memory_order_seq_cst);
    sync::wake_sleepers(event.epoch, INT_MAX);
  };
  std::optional<std::stop_callback<decltype(rouse)>> on_stop;
  if (stop != nullptr && stop->stop_possible()) on_stop.emplace(*stop, rouse);

  struct registration {
    channel_core& core;
    std::uint32_t entry;
    registration(channel_core& c, ch::waits_for w, std::int64_t since, deadline u)
        : core(c), entry(c.enter_waiters(w, since, u)) {}
    registration(const registration&) = delete;
    registration& operator=(const registration&) = delete;
    ~registration() { core.leave_waiters(entry); }
  };

  sync::blocking_scope blocking;
  wait_result result = wait_result::done;
  for (;;) {
    {
      const registration here(*this, what, since_ns, until);
      // The epoch first, then the condition: what becomes true after this look changes the epoch.
      const std::uint32_t epoch = event.epoch.load(std::memory_order_seq_cst);
      if (once() == attempt::done) return came_at_last();
      if (stopping()) {
        result = wait_result::stopped;
        break;
      }
      if (until.has_passed()) {
        result = wait_result::timed_out;
        break;
      }
      blocking.about_to_sleep();
      constexpr auto kNap = std::chrono::milliseconds(1);  // without an entry nobody knows to wake us
      sync::sleep_on(event.epoch, epoch,
                     here.entry == kNoEntry ? std::chrono::steady_clock::now() + kNap : until.when());
    }
    if (once() == attempt::done) return came_at_last();
    look_for_the_dead();
  }
  spin.did_not_pay();
  // A wake-up meant for somebody may have come to us, who now leave: pass it on.
  wake_event(event, 1);
  return result;
}

}  // namespace weir::detail
