// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <utility>

#include "channel/channel_core.hpp"
#include "channel/event.hpp"
#include "sync/blocking.hpp"
#include "sync/futex.hpp"
#include "weir/detail/futex_word.hpp"

namespace weir::detail {

/// Nanoseconds of the monotonic clock: what waiter entries and looked_ns hold.
inline std::int64_t monotonic_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// The calling thread's entry among those who sleep on a channel's event, while this lives.
class channel_core::sleeper {
 public:
  sleeper(channel_core& core, ch::waits_for what, deadline until) noexcept
      : core_(core), event_(core.event_of(what)), entry_(core.enter_waiters(what, until)) {}
  sleeper(const sleeper&) = delete;
  sleeper& operator=(const sleeper&) = delete;
  ~sleeper() { core_.leave_waiters(entry_); }

  /// To be called before each look at what is waited for; sleep() returns at once if that comes after this.
  void listen() noexcept { epoch_ = ch::listen(event_); }
  /// What is slept on, as listen() found it.
  [[nodiscard]] futex_word word() const noexcept { return {ch::futex_of(event_), epoch_}; }
  /// Wakers know of it.
  [[nodiscard]] bool is_counted() const noexcept { return entry_ != kNoEntry; }
  /// False: nobody woke it.
  bool sleep(deadline until) noexcept {
    constexpr auto kNap = std::chrono::milliseconds(1);  // without an entry nobody knows to wake us
    return ch::sleep(event_, epoch_, entry_ == kNoEntry ? std::chrono::steady_clock::now() + kNap : until.when());
  }

 private:
  channel_core& core_;
  ch::event& event_;
  std::uint32_t entry_;
  std::uint32_t epoch_ = 0;
};

template <class Once>
channel_core::wait_result channel_core::wait(ch::waits_for what, deadline until, const std::stop_token* stop,
                                             Once&& once) {
  const auto stopping = [&] { return stop != nullptr && stop->stop_requested(); };
  // Puts and takes have been patient already (spin.hpp).
  if (what != ch::waits_for::item && what != ch::waits_for::room) {
    for (sync::patience patience(for_room_); !stopping() && patience.pause();) {
      if (once() == attempt::done) {
        patience.paid();
        return wait_result::done;
      }
    }
  }

  ch::event& event = event_of(what);
  const auto rouse = [&event] { ch::rouse(event); };
  std::optional<std::stop_callback<decltype(rouse)>> on_stop;
  if (stop != nullptr && stop->stop_possible()) on_stop.emplace(*stop, rouse);

  sync::blocking_scope blocking({.what = traced_wait(what), .number = segment_.file_number()});
  {
    sleeper me(*this, what, until);
    constexpr unsigned kLookEvery = 16;  // wake-ups that were for nothing
    for (unsigned sleeps = 1;; ++sleeps) {
      me.listen();
      if (once() == attempt::done) return wait_result::done;
      if (stopping() || until.has_passed()) break;
      blocking.about_to_sleep();
      if (!me.sleep(until) || sleeps % kLookEvery == 0) look_for_the_dead();
    }
  }
  // A wake-up meant for somebody may have come to us, who leave: pass it on.
  wake_some(event, 1);
  return stopping() ? wait_result::stopped : wait_result::timed_out;
}

}  // namespace weir::detail
