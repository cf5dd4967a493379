// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "transports/transport.hpp"

namespace bench {

/// A process sends the time, with a pause before each; the other compares it with its own clock, which is the same. Items
/// of 8 bytes only.
template <class Sender, class Receiver>
class stamped {
 public:
  stamped(board& b, std::size_t rank) : plan_(b.plan()), report_(b.report(rank)) {}

  /// `wait(time)` lets the time pass until then.
  template <class Wait>
  void send_all(Sender& out, Wait wait) {
    constexpr int kWarmUpItems = 20;
    const nanoseconds pause(plan_.pause_ns);
    nanoseconds next = now() + kWarmUpItems * pause;
    send_until(out, wait, next);
    const nanoseconds cpu_before = cpu_time();
    const std::uint64_t before = report_.sent.count();
    next += std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(plan_.seconds));
    send_until(out, wait, next);
    report_.cpu = cpu_time() - cpu_before;
    report_.cpu_messages = report_.sent.count() - before;
    send(out, kLast);
  }

  void receive_all(Receiver& in) {
    const nanoseconds cpu_before = cpu_time();
    std::uint64_t item = 0, newest = 0;
    while ((item & kLast) == 0) {
      in.receive(1, [&](const std::uint64_t* words) { item = read_item(words, 1); });
      const nanoseconds took = now() - nanoseconds(static_cast<std::int64_t>(item & ~kLast));
      report_.received.add(item);
      if ((item & ~kLast) <= newest || took.count() < 0)
        throw wrong_item("a time came that is not between the last and now");
      newest = item & ~kLast;
      report_.latencies.add(took);
    }
    report_.side = 1;
    report_.cpu = cpu_time() - cpu_before;
    report_.cpu_messages = report_.received.count();
  }

 private:
  template <class Wait>
  void send_until(Sender& out, Wait wait, nanoseconds end) {
    const nanoseconds pause(plan_.pause_ns);
    for (nanoseconds next = now() + pause; next < end; next += pause) {
      wait(next);
      send(out);
    }
  }
  void send(Sender& out, std::uint64_t last = 0) {
    std::uint64_t item = 0;
    out.send(1, [&](std::uint64_t* words) {
      item = static_cast<std::uint64_t>(now().count()) | last;
      write_item(words, 1, item);
    });
    report_.sent.add(item);
  }

  const plan& plan_;
  member_report& report_;
};

}  // namespace bench
