// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "methods/stream.hpp"

/// Question: how many items of 8 bytes pass when several processes put, several take, or both?
/// Method: --putters and --takers processes on the two CPUs, where the kernel puts them (methods/stream.hpp). Each item goes
/// to one taker, whichever is first; or to the takers in turn, where a transport has no queue that several can take from.
namespace bench::many {

inline constexpr question kQuestion{"many", [](const plan& p) -> std::size_t { return p.putters + p.takers; },
                                    [](const plan&) -> std::size_t { return 1; }};

template <class Transport>
void member(board& b, std::size_t rank) {
  const std::size_t putters = b.plan().putters, takers = b.plan().takers;
  stream run(b, rank);
  if (rank < putters) {
    typename Transport::sender out(b, {.rank = rank, .first_other = putters, .others = takers});
    together<Transport>(b, rank, std::tie(out), [&] { run.put(out, rank, takers); });
  } else {
    typename Transport::receiver in(b, {.rank = rank, .first_other = 0, .others = putters});
    together<Transport>(b, rank, std::tie(in), [&] { run.take(in, putters); });
  }
}

}  // namespace bench::many
