// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <mqueue.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "transports/transport.hpp"

namespace bench {

/// The members inherit the open queues, so that their names can go at once.
class posix_mq {
 public:
  class host {
   public:
    explicit host(board& b) : board_(b) {
      const rlimit no_limit{RLIM_INFINITY, RLIM_INFINITY};
      ::setrlimit(RLIMIT_MSGQUEUE, &no_limit);  // for the privileged; others keep what they have
      for (std::size_t i = 0; i < b.queues(); ++i) b.descriptors(i).fill(open('/' + b.plan().queue_name(i), b.plan()));
    }
    host(const host&) = delete;
    host& operator=(const host&) = delete;
    ~host() {
      for (std::size_t i = 0; i < board_.queues(); ++i) ::mq_close(board_.descriptors(i)[0]);
    }

   private:
    static mqd_t open(const std::string& name, const plan& p) {
      constexpr std::size_t kForEverybody = 10;  // fs.mqueue.msg_max, which only the privileged can exceed
      const std::size_t wanted = p.capacity();
      for (const std::size_t capacity : {wanted, std::min(wanted, kForEverybody), std::size_t{2}}) {
        mq_attr attributes{};
        attributes.mq_maxmsg = static_cast<long>(capacity);
        attributes.mq_msgsize = static_cast<long>(p.bytes);
        const mqd_t queue =
            ::mq_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR | (p.spin ? O_NONBLOCK : 0), 0600, &attributes);
        if (queue >= 0) {
          ::mq_unlink(name.c_str());
          return queue;
        }
        if (errno == ENOSYS) throw not_available("this kernel has no message queues");
        if (errno != EINVAL && errno != EMFILE && errno != ENOMEM) throw_errno("mq_open");
      }
      throw not_available("the system does not allow messages of this size (fs.mqueue.msgsize_max, RLIMIT_MSGQUEUE)");
    }

    board& board_;
  };

  class sender {
   public:
    sender(board& b, const place& at) : queue_(b.descriptors(at.queue)[1]), buffer_(b.plan().words()) {}
    template <class Write>
    void send(std::size_t words, Write write) {
      write(buffer_.data());
      const auto* from = reinterpret_cast<const char*>(buffer_.data());
      while (::mq_send(queue_, from, words * sizeof(std::uint64_t), 0) != 0) {
        if (errno != EAGAIN && errno != EINTR) throw_errno("mq_send");
      }
    }

   private:
    mqd_t queue_;
    std::vector<std::uint64_t> buffer_;
  };

  class receiver {
   public:
    receiver(board& b, const place& at) : queue_(b.descriptors(at.queue)[0]), buffer_(b.plan().words()) {}
    template <class Read>
    void receive(std::size_t words, Read read) {
      auto* to = reinterpret_cast<char*>(buffer_.data());
      ssize_t got = -1;
      while ((got = ::mq_receive(queue_, to, words * sizeof(std::uint64_t), nullptr)) < 0) {
        if (errno != EAGAIN && errno != EINTR) throw_errno("mq_receive");
      }
      if (static_cast<std::size_t>(got) != words * sizeof(std::uint64_t)) throw wrong_item("a message of another size");
      read(buffer_.data());
    }

   private:
    mqd_t queue_;
    std::vector<std::uint64_t> buffer_;
  };
};

}  // namespace bench
