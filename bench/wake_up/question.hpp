// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "methods/stamped.hpp"

/// Question: how long does an item take to a process that has gone to sleep waiting for it?
/// Method: two processes, each on a CPU of its own. One sends the time every --pause-us microseconds, and keeps its CPU busy
/// in between; the other sleeps until it comes (methods/stamped.hpp). Limit: futex.cpp.
namespace bench::wake_up {

inline constexpr question kQuestion{"wake_up", [](const plan&) -> std::size_t { return 2; },
                                    [](const plan&) -> std::size_t { return 1; }};

template <class Transport>
void member(board& b, std::size_t rank) {
  stamped<typename Transport::sender, typename Transport::receiver> run(b, rank);
  const place at{.queue = 0, .rank = rank, .first_other = 1 - rank};
  if (rank == 0) {
    typename Transport::sender out(b, at);
    together<Transport>(b, rank, std::tie(out), [&] { run.send_all(out, spin_until); });
  } else {
    typename Transport::receiver in(b, at);
    together<Transport>(b, rank, std::tie(in), [&] { run.receive_all(in); });
  }
}

}  // namespace bench::wake_up
