// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <thread>

#include "channel/channel_core.hpp"
#include "weir/channel.hpp"

namespace weir::tests {

/// Returns when `count` threads wait on the channel, in whatever way; fails after a while.
template <class T>
void wait_until_waiting(const channel<T>& ch, std::size_t count) {
  const detail::core_handle core = detail::attach(ch.name(), detail::codec<T>::type());
  const weir::channels::channel_header& header = core->header();
  const auto* waiters = core->segment().template at<weir::channels::waiter_entry>(header.waiters_offset);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (;;) {
    std::size_t waiting = 0;
    for (std::size_t i = 0; i < header.waiters_high; ++i) {
      if (waiters[i].what.load() != weir::channels::waits_for::nothing) ++waiting;
    }
    if (waiting >= count) return;
    ASSERT_LT(std::chrono::steady_clock::now(), give_up) << waiting << " of " << count << " wait";
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace weir::tests
