// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/interprocess/ipc/message_queue.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "transports/transport.hpp"

namespace bench {

class boost_message_queue {
  using queue = boost::interprocess::message_queue;

 public:
  class host {
   public:
    explicit host(board& b) : board_(b) {
      for (std::size_t i = 0; i < b.queues(); ++i) {
        const queue made(boost::interprocess::create_only, b.plan().queue_name(i).c_str(), b.plan().capacity(),
                         b.plan().bytes);
      }
    }
    host(const host&) = delete;
    host& operator=(const host&) = delete;
    ~host() { settled(board_); }

   private:
    board& board_;
  };
  /// No effect if they have gone already.
  static void settled(board& b) {
    for (std::size_t i = 0; i < b.queues(); ++i) queue::remove(b.plan().queue_name(i).c_str());
  }

  class sender {
   public:
    sender(board& b, const place& at)
        : queue_(boost::interprocess::open_only, b.plan().queue_name(at.queue).c_str()),
          spin_(b.plan().spin),
          buffer_(b.plan().words()) {}
    template <class Write>
    void send(std::size_t words, Write write) {
      write(buffer_.data());
      const std::size_t bytes = words * sizeof(std::uint64_t);
      if (!spin_) return queue_.send(buffer_.data(), bytes, 0);
      while (!queue_.try_send(buffer_.data(), bytes, 0)) {
      }
    }

   private:
    queue queue_;
    bool spin_;
    std::vector<std::uint64_t> buffer_;
  };

  class receiver {
   public:
    receiver(board& b, const place& at)
        : queue_(boost::interprocess::open_only, b.plan().queue_name(at.queue).c_str()),
          spin_(b.plan().spin),
          buffer_(b.plan().words()) {}
    template <class Read>
    void receive(std::size_t words, Read read) {
      const std::size_t bytes = words * sizeof(std::uint64_t);
      queue::size_type got = 0;
      unsigned priority = 0;
      if (spin_) {
        while (!queue_.try_receive(buffer_.data(), bytes, got, priority)) {
        }
      } else {
        queue_.receive(buffer_.data(), bytes, got, priority);
      }
      if (got != bytes) throw wrong_item("a message of another size");
      read(buffer_.data());
    }

   private:
    queue queue_;
    bool spin_;
    std::vector<std::uint64_t> buffer_;
  };
};

}  // namespace bench
