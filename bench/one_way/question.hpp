// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "methods/ping_pong.hpp"

/// Question: how long does an item take from one process to another, by its size?
/// Method: two processes, each on a CPU of its own; there and back, halved (methods/ping_pong.hpp). The payload is written
/// by one side and read by the other inside the timed part. Limit: raw.cpp.
namespace bench::one_way {

inline constexpr question kQuestion{"one_way", [](const plan&) -> std::size_t { return 2; },
                                    [](const plan&) -> std::size_t { return 2; }};

template <class Transport>
void member(board& b, std::size_t rank) {
  const std::size_t other = 1 - rank;
  typename Transport::sender out(b, {.queue = rank, .rank = rank, .first_other = other});
  typename Transport::receiver in(b, {.queue = other, .rank = rank, .first_other = other});
  ping_pong run(b, rank, out, in);
  together<Transport>(b, rank, std::tie(out, in), [&] { rank == 0 ? run.ask() : run.answer(); });
}

}  // namespace bench::one_way
