// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <thread>

#include "transports/transport.hpp"

/// Question: what does it cost to have another process do something, from asking for it to having its answer?
/// Method: two processes, each on a CPU of its own; a function that returns its argument, called by the one and run by the
/// other. With --pause-us the caller sleeps so long before each call, and the other has gone to sleep too. The latency is
/// that of the whole round trip. Limit with a pause: futex.cpp, a question and an answer without anything around them.
namespace bench::call {

inline constexpr question kQuestion{"call", [](const plan&) -> std::size_t { return 2; },
                                    [](const plan&) -> std::size_t { return 2; }};

/// `ask(number)` returns the answer, which has to be the number.
template <class Ask>
void measure(board& b, Ask ask) {
  constexpr int kWarmUp = 20;
  const plan& p = b.plan();
  member_report& report = b.report(0);
  std::uint64_t number = 0;
  const auto call_once = [&] {
    if (p.pause_ns > 0) std::this_thread::sleep_for(nanoseconds(p.pause_ns));
    const nanoseconds begin = now();
    const std::uint64_t answer = ask(++number);
    const nanoseconds took = now() - begin;
    report.sent.add(number);
    report.received.add(answer);
    if (answer != number) throw wrong_item("the answer to call " + std::to_string(number) + " is another one's");
    return took;
  };
  for (int i = 0; i < kWarmUp; ++i) call_once();
  const nanoseconds cpu_before = cpu_time();
  const nanoseconds end = now() + std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(p.seconds));
  while (now() < end) report.latencies.add(call_once());
  report.cpu = cpu_time() - cpu_before;
  report.cpu_messages = report.latencies.samples();
}

}  // namespace bench::call
