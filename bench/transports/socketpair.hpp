// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/socket.h>

#include "transports/descriptors.hpp"

namespace bench {

/// A stream of bytes, since packets cannot be as large as some items. Only one direction of it is used.
class socketpair : public descriptors {
 public:
  class host : host_base {
   public:
    explicit host(board& b) : host_base(b) {
      const int kind = SOCK_STREAM | (b.plan().spin ? SOCK_NONBLOCK : 0);
      const auto bytes = static_cast<int>(b.plan().bytes * b.plan().capacity());
      constexpr int kUsual = 200 << 10;
      for (std::size_t i = 0; i < b.queues(); ++i) {
        std::array<int, 2>& ends = b.descriptors(i);
        if (::socketpair(AF_UNIX, kind, 0, ends.data()) != 0) throw_errno("socketpair");
        if (bytes <= kUsual) continue;
        // The first is for the privileged; others get what the system allows.
        if (::setsockopt(ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) != 0) {
          ::setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
        }
      }
    }
  };
};

}  // namespace bench
