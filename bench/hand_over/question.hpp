// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

#include "transports/transport.hpp"

/// Question: how long does it take to hand over an item that lies in shared memory already?
/// Method: two processes, each on a CPU of its own, and a round trip, halved, as in one_way. But both have written their item
/// beforehand, and both read what they got afterwards: what is timed is from publishing the one to having the other. Only
/// for transports that let an item be written in place.
/// The time that reading the clock takes is subtracted.
/// --way ready: once both have written theirs they hand over a few items of 8 bytes in the same way over the same queues,
/// which are then in use as they are in one_way, whose figure for 8 bytes this is compared with.
/// --way cold: they do not. Writing a large item drives all else out of the caches, the queues included, and the time
/// includes fetching that again.
namespace bench::hand_over {

inline constexpr question kQuestion{"hand_over", [](const plan&) -> std::size_t { return 2; },
                                    [](const plan&) -> std::size_t { return 2; }};

template <class Transport>
void member(board& b, std::size_t rank) {
  const plan& p = b.plan();
  member_report& report = b.report(rank);
  const std::size_t other = 1 - rank;
  typename Transport::sender out(b, {.queue = rank, .rank = rank, .first_other = other});
  typename Transport::receiver in(b, {.queue = other, .rank = rank, .first_other = other});

  // The other's item is ready when its number is there: the area is used by no transport that can do this.
  auto* const prepared = reinterpret_cast<std::atomic<std::uint64_t>*>(b.area()) + 16 * rank;
  const auto* const other_prepared = reinterpret_cast<const std::atomic<std::uint64_t>*>(b.area()) + 16 * other;
  std::uint64_t number = 0;
  const auto prepare = [&](std::uint64_t last) {
    const std::uint64_t item = ++number | last;
    out.prepare(p.words(), [&](std::uint64_t* words) { write_item(words, p.words(), item); });
    report.sent.add(item);
    prepared->store(item, std::memory_order_release);
  };
  const auto other_is_prepared = [&] {
    std::uint64_t item = 0;
    while (((item = other_prepared->load(std::memory_order_acquire)) & ~kLast) != number) {
    }
    return item & kLast;
  };
  const auto read = [&] {
    std::uint64_t item = 0;
    in.read(p.words(), [&](const std::uint64_t* words) { item = read_item(words, p.words()); });
    report.received.add(item);
    if ((item & ~kLast) != number) throw wrong_item("item " + std::to_string(item & ~kLast) + " came instead");
  };

  const bool ready = b.plan().way_name() == "ready";
  const auto small_items = [&] {
    constexpr int kRounds = 32;
    for (int i = 0; ready && i < kRounds; ++i) {
      if (rank == 0) out.send_small();
      in.receive_small();
      if (rank != 0) out.send_small();
    }
  };

  // one_way reads the clock once in 16 round trips.
  const nanoseconds clock = [] {
    constexpr int kReadings = 1000;
    const nanoseconds begin = now();
    for (int i = 1; i < kReadings; ++i) static_cast<void>(now());
    return (now() - begin) / kReadings;
  }();

  constexpr std::uint64_t kWarmUp = 20;
  const auto run = [&] {
    const nanoseconds cpu_before = cpu_time();
    nanoseconds end = nanoseconds::max();
    for (std::uint64_t last = 0; last == 0;) {
      if (rank == 0) {
        // The first ones touch memory that is new.
        if (number == kWarmUp) {
          end = now() + std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(p.seconds));
        }
        last = now() < end ? 0 : kLast;
        prepare(last);
        other_is_prepared();
        small_items();
        const nanoseconds begin = now();
        out.publish();
        in.take();
        const nanoseconds took = (now() - begin - clock) / 2;
        if (number > kWarmUp) report.latencies.add(took);
      } else {
        prepare(0);
        last = other_is_prepared();
        small_items();
        in.take();
        out.publish();
      }
      read();
    }
    report.side = static_cast<std::uint32_t>(rank);
    report.cpu = cpu_time() - cpu_before;
    report.cpu_messages = 2 * number;
  };
  together<Transport>(b, rank, std::tie(out, in), run);
}

}  // namespace bench::hand_over
