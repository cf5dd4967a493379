// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <zmq.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "transports/transport.hpp"

namespace bench {

/// PUSH and PULL over ipc://, in Linux's nameless namespace for sockets. Each receiver has one socket; a sender has one for
/// each receiver, and serves them in turn. Items are written and read where ZeroMQ keeps its messages.
class zeromq {
  struct end_context {
    void operator()(void* context) const noexcept { ::zmq_ctx_term(context); }
  };
  struct end_socket {
    void operator()(void* socket) const noexcept { ::zmq_close(socket); }
  };
  using context = std::unique_ptr<void, end_context>;
  using socket = std::unique_ptr<void, end_socket>;

  static void check(int result) {
    if (result < 0) throw std::runtime_error(std::string("ZeroMQ: ") + ::zmq_strerror(::zmq_errno()));
  }
  static socket make(const context& of, int kind, const plan& p) {
    socket made(::zmq_socket(of.get(), kind));
    if (!made) check(-1);
    const int half = std::max(1, static_cast<int>(p.capacity()) / 2);
    check(::zmq_setsockopt(made.get(), ZMQ_SNDHWM, &half, sizeof half));
    check(::zmq_setsockopt(made.get(), ZMQ_RCVHWM, &half, sizeof half));
    return made;
  }
  static std::string address(const plan& p, std::size_t queue, std::size_t receiver) {
    return "ipc://@" + p.queue_name(queue) + '.' + std::to_string(receiver);
  }

 public:
  class sender {
   public:
    sender(board& b, const place& at) : plan_(b.plan()), at_(at), context_(::zmq_ctx_new()) {}
    // Not earlier: an attempt to connect to what is not there yet is repeated only after a while.
    void connect() {
      for (std::size_t i = 0; i < at_.others; ++i) {
        sockets_.push_back(make(context_, ZMQ_PUSH, plan_));
        check(::zmq_connect(sockets_.back().get(), address(plan_, at_.queue, at_.first_other + i).c_str()));
      }
    }
    template <class Write>
    void send(std::size_t words, Write write) {
      zmq_msg_t message;
      check(::zmq_msg_init_size(&message, words * sizeof(std::uint64_t)));
      write(static_cast<std::uint64_t*>(::zmq_msg_data(&message)));
      check(::zmq_msg_send(&message, sockets_[next_].get(), 0));
      if (++next_ == sockets_.size()) next_ = 0;
    }

   private:
    const plan& plan_;
    place at_;
    context context_;
    std::vector<socket> sockets_;
    std::size_t next_ = 0;
  };

  class receiver {
   public:
    receiver(board& b, const place& at) : context_(::zmq_ctx_new()), socket_(make(context_, ZMQ_PULL, b.plan())) {
      check(::zmq_bind(socket_.get(), address(b.plan(), at.queue, at.rank).c_str()));
      check(::zmq_msg_init(&message_));
    }
    receiver(const receiver&) = delete;
    receiver& operator=(const receiver&) = delete;
    ~receiver() { ::zmq_msg_close(&message_); }
    template <class Read>
    void receive(std::size_t words, Read read) {
      check(::zmq_msg_recv(&message_, socket_.get(), 0));
      if (::zmq_msg_size(&message_) != words * sizeof(std::uint64_t)) throw wrong_item("a message of another size");
      read(static_cast<const std::uint64_t*>(::zmq_msg_data(&message_)));
    }

   private:
    context context_;
    socket socket_;
    zmq_msg_t message_{};
  };
};

}  // namespace bench
