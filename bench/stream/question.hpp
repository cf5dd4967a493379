// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "methods/stream.hpp"

/// Question: how many items pass from one process to another, by their size, when one only puts and the other only takes?
/// Method: two processes, each on a CPU of its own (methods/stream.hpp). Queues hold 256 items or 4 MiB, whichever is less,
/// as far as the transport lets one choose. Limit: raw.cpp.
namespace bench::streaming {

inline constexpr question kQuestion{"stream", [](const plan&) -> std::size_t { return 2; },
                                    [](const plan&) -> std::size_t { return 1; }};

template <class Transport>
void member(board& b, std::size_t rank) {
  stream run(b, rank);
  const place at{.queue = 0, .rank = rank, .first_other = 1 - rank};
  if (rank == 0) {
    typename Transport::sender out(b, at);
    together<Transport>(b, rank, std::tie(out), [&] { run.put(out, 0, 1); });
  } else {
    typename Transport::receiver in(b, at);
    together<Transport>(b, rank, std::tie(in), [&] { run.take(in, 1); });
  }
}

}  // namespace bench::streaming
