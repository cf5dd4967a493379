// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "transports/transport.hpp"

namespace bench {

/// What a pipe and a pair of sockets have in common: bytes go into one file descriptor and come out of another. The
/// members inherit them.
class descriptors {
  static bool again(ssize_t result) { return result < 0 && (errno == EAGAIN || errno == EINTR); }

 public:
  class sender {
   public:
    sender(board& b, const place& at) : descriptor_(b.descriptors(at.queue)[1]), buffer_(b.plan().words()) {}
    template <class Write>
    void send(std::size_t words, Write write) {
      write(buffer_.data());
      const auto* from = reinterpret_cast<const std::byte*>(buffer_.data());
      for (std::size_t left = words * sizeof(std::uint64_t); left > 0;) {
        const ssize_t done = ::write(descriptor_, from, left);
        if (again(done)) continue;
        if (done < 0) throw_errno("write");
        from += done;
        left -= static_cast<std::size_t>(done);
      }
    }

   private:
    int descriptor_;
    std::vector<std::uint64_t> buffer_;
  };

  class receiver {
   public:
    receiver(board& b, const place& at) : descriptor_(b.descriptors(at.queue)[0]), buffer_(b.plan().words()) {}
    template <class Read>
    void receive(std::size_t words, Read read) {
      auto* to = reinterpret_cast<std::byte*>(buffer_.data());
      for (std::size_t left = words * sizeof(std::uint64_t); left > 0;) {
        const ssize_t done = ::read(descriptor_, to, left);
        if (again(done)) continue;
        if (done < 0) throw_errno("read");
        if (done == 0) throw wrong_item("the other end has been closed");
        to += done;
        left -= static_cast<std::size_t>(done);
      }
      read(buffer_.data());
    }

   private:
    int descriptor_;
    std::vector<std::uint64_t> buffer_;
  };

 protected:
  /// Closes them.
  class host_base {
   public:
    explicit host_base(board& b) : board_(b) {}
    host_base(const host_base&) = delete;
    host_base& operator=(const host_base&) = delete;
    ~host_base() {
      for (std::size_t i = 0; i < board_.queues(); ++i) {
        for (const int each : board_.descriptors(i)) ::close(each);
      }
    }

   private:
    board& board_;
  };
};

}  // namespace bench
