// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "methods/stamped.hpp"

/// Question: how much CPU time does a steady load need that keeps nobody busy?
/// Method: two processes, each on a CPU of its own. One sends the time every --pause-us microseconds (1000: 1,000 items a
/// second) and sleeps in between, the other sleeps until it comes (methods/stamped.hpp). The CPU time is that of both.
namespace bench::paced {

inline constexpr question kQuestion{"paced", [](const plan&) -> std::size_t { return 2; },
                                    [](const plan&) -> std::size_t { return 1; }};

template <class Transport>
void member(board& b, std::size_t rank) {
  stamped<typename Transport::sender, typename Transport::receiver> run(b, rank);
  const place at{.queue = 0, .rank = rank, .first_other = 1 - rank};
  if (rank == 0) {
    typename Transport::sender out(b, at);
    together<Transport>(b, rank, std::tie(out), [&] { run.send_all(out, sleep_until); });
  } else {
    typename Transport::receiver in(b, at);
    together<Transport>(b, rank, std::tie(in), [&] { run.receive_all(in); });
  }
}

}  // namespace bench::paced
