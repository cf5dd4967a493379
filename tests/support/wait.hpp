// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <thread>

#include "channel/channel_core.hpp"
#include "support/patience.hpp"
#include "weir/channel.hpp"

namespace weir::tests {

/// Returns when `count` threads sleep on the channel, for whatever; fails after a while.
template <class T>
void wait_until_waiting(const channel<T>& ch, std::size_t count) {
  const detail::core_handle core = detail::attach(ch.name(), detail::codec<T>::type());
  const weir::channels::channel_header& header = core->header();
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    std::size_t waiting = 0;
    for (const auto* event : {&header.not_empty, &header.not_full, &header.block_freed}) {
      waiting += channels::sleepers_of(event->word.load());
    }
    if (waiting >= count) return;
    ASSERT_LT(std::chrono::steady_clock::now(), give_up) << waiting << " of " << count << " wait";
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace weir::tests
