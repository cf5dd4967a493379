// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "transports/transport.hpp"

namespace bench {

/// A process sends an item and waits for its answer, an item of the same size and number. One way is half a round trip:
/// one side writes the item and sends it, the other receives it and reads it.
///
/// Clocks are read around single round trips, which is what the quantiles are made of. Where a round trip takes less than a
/// microsecond that costs too much to be done each time: then every 16th is timed.
template <class Sender, class Receiver>
class ping_pong {
 public:
  ping_pong(board& b, std::size_t rank, Sender& out, Receiver& in)
      : plan_(b.plan()), report_(b.report(rank)), out_(out), in_(in) {}

  void ask() {
    constexpr double kWarmUp = 0.2;  // of the timed part
    const auto length = std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(plan_.seconds));
    const std::uint64_t every = plan_.spin && plan_.bytes < 4096 ? 16 : 1;
    for (const nanoseconds end = now() + std::chrono::duration_cast<nanoseconds>(length * kWarmUp); now() < end;) {
      round_trip();
    }
    const std::uint64_t before = number_;
    const nanoseconds cpu_before = cpu_time();
    report_.begin = now();
    const nanoseconds end = report_.begin + length;
    while ((report_.end = now()) < end) {
      round_trip();
      report_.latencies.add((now() - report_.end) / 2);
      for (std::uint64_t i = 1; i < every; ++i) round_trip();
    }
    report_.cpu = cpu_time() - cpu_before;
    report_.items = report_.cpu_messages = 2 * (number_ - before);
    round_trip(kLast);
  }

  void answer() {
    const nanoseconds cpu_before = cpu_time();
    std::uint64_t item = 0;
    do {
      item = receive();
      send(item);
    } while ((item & kLast) == 0);
    report_.side = 1;
    report_.cpu = cpu_time() - cpu_before;
    report_.cpu_messages = 2 * number_;
  }

 private:
  void round_trip(std::uint64_t last = 0) {
    send((number_ + 1) | last);
    receive();
  }
  void send(std::uint64_t item) {
    out_.send(plan_.words(), [&](std::uint64_t* words) { write_item(words, plan_.words(), item); });
    report_.sent.add(item);
  }
  /// Throws wrong_item if it is not the next.
  std::uint64_t receive() {
    std::uint64_t item = 0;
    in_.receive(plan_.words(), [&](const std::uint64_t* words) { item = read_item(words, plan_.words()); });
    report_.received.add(item);
    if ((item & ~kLast) != ++number_) {
      throw wrong_item("item " + std::to_string(item & ~kLast) + " came instead of " + std::to_string(number_));
    }
    return item;
  }

  const plan& plan_;
  member_report& report_;
  Sender& out_;
  Receiver& in_;
  std::uint64_t number_ = 0;
};

}  // namespace bench
