// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "transports/transport.hpp"

namespace bench {

/// A word in shared memory that the receiver sleeps on and the sender wakes it from, always, whether it sleeps or not: what
/// the kernel needs to wake another process, and nothing else. The receiver must never be more than 64 items behind.
class futex {
  static constexpr std::size_t kSlots = 64;
  struct alignas(64) shared {
    std::atomic<std::uint32_t> items;
    std::atomic<std::uint64_t> payloads[kSlots];
  };
  static shared& of(board& b, const place& at) {
    require_words(b, 1);
    return reinterpret_cast<shared*>(b.area())[at.queue];
  }

 public:
  class sender {
   public:
    sender(board& b, const place& at) : shared_(of(b, at)) {}
    template <class Write>
    void send(std::size_t /*words*/, Write write) {
      std::uint64_t payload = 0;
      write(&payload);
      const std::uint32_t item = shared_.items.load(std::memory_order_relaxed);
      shared_.payloads[item % kSlots].store(payload, std::memory_order_relaxed);
      shared_.items.store(item + 1, std::memory_order_release);
      ::syscall(SYS_futex, &shared_.items, FUTEX_WAKE, 1, nullptr, nullptr, 0);
    }

   private:
    shared& shared_;
  };

  class receiver {
   public:
    receiver(board& b, const place& at) : shared_(of(b, at)) {}
    template <class Read>
    void receive(std::size_t /*words*/, Read read) {
      while (shared_.items.load(std::memory_order_acquire) == items_) {
        ::syscall(SYS_futex, &shared_.items, FUTEX_WAIT, items_, nullptr, nullptr, 0);
      }
      const std::uint64_t payload = shared_.payloads[items_ % kSlots].load(std::memory_order_relaxed);
      ++items_;
      read(&payload);
    }

   private:
    shared& shared_;
    std::uint32_t items_ = 0;
  };
};

}  // namespace bench
