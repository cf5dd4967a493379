// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "transports/transport.hpp"
#include "weir/channel.hpp"

namespace bench {

/// What weir's ways of handing an item over have in common. Items of 8 bytes are numbers, all others vectors.
class weir_channels {
 public:
  using number = std::int64_t;
  using vector = std::vector<std::uint64_t>;
  [[nodiscard]] static bool are_numbers(const plan& p) noexcept { return p.words() == 1; }

  class host {
   public:
    explicit host(board& b) : board_(b) {
      const std::size_t capacity = b.plan().capacity();
      for (std::size_t i = 0; i < b.queues(); ++i) {
        if (are_numbers(b.plan())) {
          numbers_.push_back(weir::channel<number>::create(b.plan().queue_name(i), capacity));
        } else {
          vectors_.push_back(weir::channel<vector>::create(b.plan().queue_name(i), capacity));
        }
      }
    }
    host(const host&) = delete;
    host& operator=(const host&) = delete;
    ~host() { settled(board_); }

   private:
    board& board_;
    std::vector<weir::channel<number>> numbers_;
    std::vector<weir::channel<vector>> vectors_;
  };
  /// No effect if they have gone already.
  static void settled(board& b) {
    for (std::size_t i = 0; i < b.queues(); ++i) {
      try {
        weir::channel<number>::remove(b.plan().queue_name(i));
      } catch (const weir::not_found&) {
        continue;
      }
    }
  }
};

class weir_number : public weir_channels {
 public:
  class sender {
   public:
    sender(board& b, const place& at) : channel_(weir::channel<number>::open(b.plan().queue_name(at.queue))) {}
    template <class Write>
    void send(std::size_t /*words*/, Write write) {
      std::uint64_t item = 0;
      write(&item);
      channel_.put(static_cast<number>(item));
    }

   private:
    weir::channel<number> channel_;
  };
  class receiver {
   public:
    receiver(board& b, const place& at) : channel_(weir::channel<number>::open(b.plan().queue_name(at.queue))) {}
    template <class Read>
    void receive(std::size_t /*words*/, Read read) {
      const auto item = static_cast<std::uint64_t>(channel_.take());
      read(&item);
    }

   private:
    weir::channel<number> channel_;
  };
};

/// put(): from the user's vector. take_into(): into the user's vector.
class weir_copied : public weir_channels {
 public:
  class sender {
   public:
    sender(board& b, const place& at)
        : channel_(weir::channel<vector>::open(b.plan().queue_name(at.queue))), buffer_(b.plan().words()) {}
    template <class Write>
    void send(std::size_t /*words*/, Write write) {
      write(buffer_.data());
      channel_.put(buffer_);
    }

   private:
    weir::channel<vector> channel_;
    vector buffer_;
  };
  class receiver {
   public:
    receiver(board& b, const place& at) : channel_(weir::channel<vector>::open(b.plan().queue_name(at.queue))) {}
    template <class Read>
    void receive(std::size_t words, Read read) {
      channel_.take_into(buffer_);
      if (buffer_.size() != words) throw wrong_item("a vector of another length");
      read(buffer_.data());
    }

   private:
    weir::channel<vector> channel_;
    vector buffer_;
  };
};

/// put(): from the user's vector. take_view(): read where it lies.
class weir_viewed : public weir_channels {
 public:
  using sender = weir_copied::sender;
  class receiver {
   public:
    receiver(board& b, const place& at) : channel_(weir::channel<vector>::open(b.plan().queue_name(at.queue))) {}
    template <class Read>
    void receive(std::size_t words, Read read) {
      take();
      this->read(words, read);
    }
    // The same in two steps.
    void take() { view_.emplace(channel_.take_view()); }
    // Another item, meanwhile.
    void receive_small() { channel_.take_view(); }
    template <class Read>
    void read(std::size_t words, Read read) {
      if (view_->size() != words) throw wrong_item("a vector of another length");
      read(view_->data());
      view_.reset();
    }

   private:
    weir::channel<vector> channel_;
    std::optional<weir::channel<vector>::view_type> view_;
  };
};

/// loan(): written where it will lie. take_view(): read there.
class weir_loaned : public weir_channels {
 public:
  class sender {
   public:
    sender(board& b, const place& at) : channel_(weir::channel<vector>::open(b.plan().queue_name(at.queue))) {}
    template <class Write>
    void send(std::size_t words, Write write) {
      prepare(words, write);
      publish();
    }
    // The same in two steps.
    template <class Write>
    void prepare(std::size_t words, Write write) {
      loan_.emplace(channel_.loan(words));
      write(loan_->data());
    }
    void publish() { channel_.put(std::move(*loan_)); }
    // Another item, meanwhile.
    void send_small() {
      auto small = channel_.loan(1);
      small[0] = 1;
      channel_.put(std::move(small));
    }

   private:
    weir::channel<vector> channel_;
    std::optional<weir::channel<vector>::loan_type> loan_;
  };
  using receiver = weir_viewed::receiver;
};

}  // namespace bench
