// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "transports/transport.hpp"

namespace bench {

/// One cache line in shared memory, written by one process and read by the other: what the hardware needs to hand 8 bytes
/// over, and nothing else. One item at a time: the receiver must have it before the next is sent.
class raw_line {
  struct line {
    std::atomic<std::uint64_t> items;
    std::uint64_t payload;
  };
  // 128 bytes apart: processors fetch lines in pairs.
  static constexpr std::size_t kDistance = 128;
  static line& of(board& b, const place& at) {
    require_words(b, 1);
    return *reinterpret_cast<line*>(b.area() + kDistance * at.queue);
  }

 public:
  class sender {
   public:
    sender(board& b, const place& at) : line_(of(b, at)) {}
    template <class Write>
    void send(std::size_t /*words*/, Write write) {
      write(&line_.payload);
      line_.items.store(++items_, std::memory_order_release);
    }

   private:
    line& line_;
    std::uint64_t items_ = 0;
  };

  class receiver {
   public:
    receiver(board& b, const place& at) : line_(of(b, at)) {}
    template <class Read>
    void receive(std::size_t /*words*/, Read read) {
      ++items_;
      while (line_.items.load(std::memory_order_acquire) != items_) {
      }
      read(&line_.payload);
    }

   private:
    line& line_;
    std::uint64_t items_ = 0;
  };
};

}  // namespace bench
