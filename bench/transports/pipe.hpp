// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>

#include <algorithm>

#include "transports/descriptors.hpp"

namespace bench {

class pipe : public descriptors {
 public:
  class host : host_base {
   public:
    explicit host(board& b) : host_base(b) {
      // Never less than the kernel gives by itself, and no more than it gives to everybody.
      constexpr std::size_t kUsual = std::size_t{64} << 10U, kMost = std::size_t{1} << 20U;
      const std::size_t bytes = std::clamp(b.plan().bytes * b.plan().capacity(), kUsual, kMost);
      for (std::size_t i = 0; i < b.queues(); ++i) {
        std::array<int, 2>& ends = b.descriptors(i);
        if (::pipe2(ends.data(), b.plan().spin ? O_NONBLOCK : 0) != 0) throw_errno("pipe");
        if (bytes > kUsual && ::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(bytes)) < 0) throw_errno("F_SETPIPE_SZ");
      }
    }
  };
};

}  // namespace bench
