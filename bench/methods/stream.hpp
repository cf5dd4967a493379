// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "transports/transport.hpp"

namespace bench {

/// Some processes put as fast as they can, others take as fast as they can. The rate is that of what is taken after the
/// warm-up. An item's number says who put it and how many before: those of one putter have to come in order, and in the end
/// what was taken has to be what was put.
///
/// The end: each putter puts as many last items as there are takers, and a taker is done when it has taken as many as there
/// are putters. That works for a queue that all share, and for transports that serve the receivers in turn.
class stream {
 public:
  stream(board& b, std::size_t rank) : plan_(b.plan()), report_(b.report(rank)) {}

  template <class Sender>
  void put(Sender& out, std::size_t putter, std::size_t takers) {
    std::uint64_t number = putter << kPutterShift;
    const auto send = [&](std::uint64_t item) {
      out.send(plan_.words(), [&](std::uint64_t* words) { write_item(words, plan_.words(), item); });
      report_.sent.add(item);
    };
    const nanoseconds begin = now(), cpu_before = cpu_time();
    const nanoseconds end = begin + warm_up() + length();
    while (now() < end) {
      for (std::uint64_t i = 0; i < every(); ++i) send(number++);
    }
    report_.cpu = cpu_time() - cpu_before;
    report_.cpu_messages = report_.sent.count();
    for (std::size_t i = 0; i < takers; ++i) send(number++ | kLast);
  }

  template <class Receiver>
  void take(Receiver& in, std::size_t putters) {
    const nanoseconds flowing = now() + warm_up();
    const nanoseconds latest = flowing + length();
    nanoseconds cpu_before{};
    std::uint64_t before = 0;
    std::size_t ended = 0;
    while (ended < putters) {
      for (std::uint64_t i = 0; i < every() && ended < putters; ++i) {
        if (receive(in)) ++ended;
      }
      const nanoseconds time = now();
      if (report_.begin == nanoseconds{}) {
        if (time < flowing) continue;
        report_.begin = report_.end = time;
        before = report_.received.count();
        cpu_before = cpu_time();
      } else if (time < latest) {
        report_.end = time;
        report_.items = report_.received.count() - before;
      }
    }
    report_.side = 1;
    report_.cpu = cpu_time() - cpu_before;
    report_.cpu_messages = report_.received.count() - before;
  }

 private:
  static constexpr unsigned kPutterShift = 48;

  [[nodiscard]] nanoseconds length() const {
    return std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(plan_.seconds));
  }
  [[nodiscard]] nanoseconds warm_up() const { return length() / 5; }
  /// Clocks are read once in so many items.
  [[nodiscard]] std::uint64_t every() const { return plan_.bytes <= 4096 ? 64 : 1; }

  /// Whether it was a last one. Throws wrong_item if it is not one of those that can be next.
  template <class Receiver>
  bool receive(Receiver& in) {
    std::uint64_t item = 0;
    in.receive(plan_.words(), [&](const std::uint64_t* words) { item = read_item(words, plan_.words()); });
    report_.received.add(item);
    const std::uint64_t number = item & ~kLast;
    std::uint64_t& next = next_.at((number >> kPutterShift) % next_.size());
    const std::uint64_t count = number & ((std::uint64_t{1} << kPutterShift) - 1);
    if (count < next) throw wrong_item("item " + std::to_string(count) + " came after " + std::to_string(next - 1));
    next = count + 1;
    return (item & kLast) != 0;
  }

  const plan& plan_;
  member_report& report_;
  std::array<std::uint64_t, 8> next_{};  // of each putter
};

}  // namespace bench
