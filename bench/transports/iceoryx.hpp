// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>

#include "iceoryx_hoofs/log/logmanager.hpp"
#include "iceoryx_posh/popo/untyped_publisher.hpp"
#include "iceoryx_posh/popo/untyped_subscriber.hpp"
#include "iceoryx_posh/popo/wait_set.hpp"
#include "iceoryx_posh/runtime/posh_runtime.hpp"
#include "support/daemon.hpp"
#include "transports/transport.hpp"

namespace bench {

/// Publishers and subscribers that lose nothing: a full subscriber makes its publisher wait. Items are written in a loan and
/// read where they lie. Spinning asks the subscriber again and again; otherwise a WaitSet sleeps. Its daemon runs while the
/// host lives; the daemon's CPU time is not counted.
class iceoryx {
  static void start_runtime(const board& b, const place& at) {
    static const bool started = [&] {
      using iox::RuntimeName_t;
      iox::log::LogManager::GetLogManager().SetDefaultLogLevel(iox::log::LogLevel::kError,
                                                               iox::log::LogLevelOutput::kHideLogLevel);
      const std::string name = std::string(b.plan().name.data()) + '-' + std::to_string(at.rank);
      iox::runtime::PoshRuntime::initRuntime(RuntimeName_t(iox::cxx::TruncateToCapacity, name.c_str(), name.size()));
      return true;
    }();
    static_cast<void>(started);
  }
  static iox::capro::ServiceDescription service(const board& b, const place& at) {
    using iox::capro::IdString_t;
    const std::string queue = b.plan().queue_name(at.queue);
    return {"bench", "items", IdString_t(iox::cxx::TruncateToCapacity, queue.c_str(), queue.size())};
  }

 public:
  class host {
   public:
    explicit host(board& b)
        : configuration_(write_configuration(b)), roudi_(command(configuration_), "RouDi is ready") {}
    host(const host&) = delete;
    host& operator=(const host&) = delete;
    ~host() { ::close(configuration_); }

   private:
    // A file without a name: one segment of memory, with as many pieces of the item's size as are ever in use.
    static int write_configuration(const board& b) {
      if (b.plan().takers > 1) throw not_available("every subscriber gets every item; there is no sharing of work");
      constexpr std::size_t kSpare = 16;
      const std::size_t pieces = (b.plan().capacity() + kSpare) * b.queues() * b.plan().putters;
      const std::string text =
          "[general]\nversion = 1\n[[segment]]\n[[segment.mempool]]\nsize = " + std::to_string(b.plan().bytes) +
          "\ncount = " + std::to_string(pieces) + "\n[[segment.mempool]]\nsize = 16777216\ncount = 1\n";
      const int file = ::memfd_create("roudi.toml", 0);
      if (file < 0 || ::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        throw_errno("memfd_create");
      }
      return file;
    }
    static std::vector<std::string> command(int configuration) {
      return {"iox-roudi",
              "-m",
              "off",
              "-l",
              "error",
              "-c",
              "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(configuration)};
    }

    int configuration_;
    daemon roudi_;
  };

  class sender {
   public:
    sender(board& b, const place& at) : runtime_(b, at), publisher_(service(b, at), options()) {}
    void connect() {
      while (!publisher_.hasSubscribers()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    template <class Write>
    void send(std::size_t words, Write write) {
      prepare(words, write);
      publish();
    }
    // The same in two steps.
    template <class Write>
    void prepare(std::size_t words, Write write) {
      loan_ = loan(words);
      write(static_cast<std::uint64_t*>(loan_));
    }
    void publish() { publisher_.publish(loan_); }
    // Another item, meanwhile.
    void send_small() { publisher_.publish(loan(1)); }

   private:
    void* loan(std::size_t words) {
      const auto bytes = static_cast<std::uint32_t>(words * sizeof(std::uint64_t));
      auto loan = publisher_.loan(bytes);
      while (loan.has_error()) loan = publisher_.loan(bytes);
      return loan.value();
    }
    static iox::popo::PublisherOptions options() {
      iox::popo::PublisherOptions result;
      result.historyCapacity = 0;
      result.subscriberTooSlowPolicy = iox::popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER;
      return result;
    }

    struct runtime {
      runtime(const board& b, const place& at) { start_runtime(b, at); }
    } runtime_;
    iox::popo::UntypedPublisher publisher_;
    void* loan_ = nullptr;
  };

  class receiver {
   public:
    receiver(board& b, const place& at)
        : runtime_(b, at), subscriber_(service(b, at), options(b.plan())), spin_(b.plan().spin) {
      if (!spin_ && waiting_.attachState(subscriber_, iox::popo::SubscriberState::HAS_DATA).has_error()) {
        throw std::runtime_error("iceoryx: the WaitSet does not take the subscriber");
      }
    }
    receiver(const receiver&) = delete;
    receiver& operator=(const receiver&) = delete;
    ~receiver() { waiting_.detachState(subscriber_, iox::popo::SubscriberState::HAS_DATA); }
    void connect() {
      while (subscriber_.getSubscriptionState() != iox::SubscribeState::SUBSCRIBED) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
    template <class Read>
    void receive(std::size_t words, Read read) {
      take();
      this->read(words, read);
    }
    // The same in two steps.
    void take() {
      for (;;) {
        auto item = subscriber_.take();
        if (!item.has_error()) {
          item_ = item.value();
          return;
        }
        if (item.get_error() != iox::popo::ChunkReceiveResult::NO_CHUNK_AVAILABLE) {
          throw std::runtime_error("iceoryx: take() fails");
        }
        if (!spin_) waiting_.wait();
      }
    }
    // Another item, meanwhile.
    void receive_small() {
      take();
      subscriber_.release(item_);
    }
    template <class Read>
    void read(std::size_t words, Read read) {
      const std::size_t bytes = iox::mepoo::ChunkHeader::fromUserPayload(item_)->userPayloadSize();
      if (bytes != words * sizeof(std::uint64_t)) throw wrong_item("an item of another size");
      read(static_cast<const std::uint64_t*>(item_));
      subscriber_.release(item_);
    }

   private:
    static iox::popo::SubscriberOptions options(const plan& p) {
      iox::popo::SubscriberOptions result;
      result.queueCapacity = p.capacity();
      result.historyRequest = 0;
      result.queueFullPolicy = iox::popo::QueueFullPolicy::BLOCK_PRODUCER;
      return result;
    }

    struct runtime {
      runtime(const board& b, const place& at) { start_runtime(b, at); }
    } runtime_;
    iox::popo::UntypedSubscriber subscriber_;
    iox::popo::WaitSet<1> waiting_;
    bool spin_;
    const void* item_ = nullptr;
  };
};

}  // namespace bench
