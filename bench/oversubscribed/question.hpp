// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "methods/ping_pong.hpp"
#include "methods/stream.hpp"

/// Question: what remains of rate and latency when more processes want to run than there are CPUs?
/// Method: --pairs pairs of processes (4: 8 processes) on the two CPUs, where the kernel puts them, all at the same time.
/// --way stream: in each pair one puts and the other takes; the rate is that of all pairs together.
/// --way ping_pong: in each pair items go there and back; the latencies are those of all pairs together.
namespace bench::oversubscribed {

inline bool is_ping_pong(const plan& p) { return p.way_name() == "ping_pong"; }

inline constexpr question kQuestion{
    "oversubscribed", [](const plan& p) -> std::size_t { return std::size_t{2} * p.pairs; },
    [](const plan& p) -> std::size_t { return is_ping_pong(p) ? std::size_t{2} * p.pairs : std::size_t{p.pairs}; }};

template <class Transport>
void member(board& b, std::size_t rank) {
  const std::size_t other = rank ^ 1U, pair = rank / 2;
  if (is_ping_pong(b.plan())) {
    typename Transport::sender out(b, {.queue = rank, .rank = rank, .first_other = other});
    typename Transport::receiver in(b, {.queue = other, .rank = rank, .first_other = other});
    ping_pong run(b, rank, out, in);
    together<Transport>(b, rank, std::tie(out, in), [&] { rank < other ? run.ask() : run.answer(); });
    return;
  }
  stream run(b, rank);
  const place at{.queue = pair, .rank = rank, .first_other = other};
  if (rank < other) {
    typename Transport::sender out(b, at);
    together<Transport>(b, rank, std::tie(out), [&] { run.put(out, pair, 1); });
  } else {
    typename Transport::receiver in(b, at);
    together<Transport>(b, rank, std::tie(in), [&] { run.take(in, 1); });
  }
}

}  // namespace bench::oversubscribed
