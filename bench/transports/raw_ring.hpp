// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "transports/transport.hpp"

namespace bench {

/// A ring for one sender and one receiver that knows nothing of closing, dying, sleeping or a second sender: a cache line
/// an item, which also says whose turn it is. No lock, no compare-and-swap, no shared counter.
class raw_ring {
  static constexpr std::size_t kLineBytes = 64;
  static constexpr std::size_t kSlots = 256;
  // The line a few items ahead is asked for early, for writing: it is still with the receiver, who wrote its turn.
  static constexpr std::size_t kAhead = 8;

  struct alignas(kLineBytes) slot {
    std::atomic<std::uint64_t> turn;  // 2 n: to be written for the n-th time; 2 n + 1: to be read
    std::array<std::uint64_t, 7> payload;
  };
  static_assert(sizeof(slot) == kLineBytes && sizeof(slot) * kSlots <= board::kAreaBytes);
  static slot* of(board& b) {
    require_words(b, std::tuple_size_v<decltype(slot::payload)>);
    return reinterpret_cast<slot*>(b.area());
  }
  static std::uint64_t turn_of(std::uint64_t item) { return 2 * (item / kSlots); }

 public:
  class sender {
   public:
    sender(board& b, const place& /*at*/) : slots_(of(b)) {}
    template <class Write>
    void send(std::size_t /*words*/, Write write) {
      slot& next = slots_[item_ % kSlots];
      const std::uint64_t turn = turn_of(item_);
      __builtin_prefetch(&slots_[(item_ + kAhead) % kSlots], 1);
      while (next.turn.load(std::memory_order_acquire) != turn) {
      }
      write(next.payload.data());
      next.turn.store(turn + 1, std::memory_order_release);
      ++item_;
    }

   private:
    slot* slots_;
    std::uint64_t item_ = 0;
  };

  class receiver {
   public:
    receiver(board& b, const place& /*at*/) : slots_(of(b)) {}
    template <class Read>
    void receive(std::size_t /*words*/, Read read) {
      slot& next = slots_[item_ % kSlots];
      const std::uint64_t turn = turn_of(item_) + 1;
      while (next.turn.load(std::memory_order_acquire) != turn) {
      }
      read(next.payload.data());
      next.turn.store(turn + 1, std::memory_order_release);
      ++item_;
    }

   private:
    slot* slots_;
    std::uint64_t item_ = 0;
  };
};

}  // namespace bench
