// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "methods/steps.hpp"

/// Question: how long do processes take to meet, and to add up a number each?
/// Method: --ranks processes do so again and again, each on a CPU of its own if there are two.
/// --way barrier: nobody goes on before all have come. --way all_reduce: the sum of a double of each, for all.
/// Check: sums are compared in the timed part; that a barrier holds is looked at before and after it, since what that needs
/// (a word that the one writes and the other reads) would cost as much as the barrier.
namespace bench::collective {

inline constexpr question kQuestion{"collective", ranks_of, no_queues};

/// `barrier()`, and `sum(x)`: the sum of all processes' x.
template <class Barrier, class Sum>
void member(board& b, std::size_t rank, Barrier barrier, Sum sum) {
  const std::uint64_t ranks = b.members();
  if (b.plan().way_name() == "all_reduce") {
    std::uint64_t number = 0;
    time_steps(b, rank, [&] {
      ++number;  // whole numbers, whose sums are exact
      const double right = static_cast<double>(number * (ranks * (ranks + 1) / 2));
      if (sum(static_cast<double>(number * (rank + 1))) != right) throw wrong_item("a sum is wrong");
    });
    return;
  }
  if (b.plan().way_name() != "barrier") throw std::invalid_argument("--way barrier or all_reduce");

  // One line each, not that in which the steps are agreed upon.
  constexpr std::size_t kLine = 128;
  const auto round_of = [&](std::size_t of) -> std::atomic<std::uint64_t>& {
    return *reinterpret_cast<std::atomic<std::uint64_t>*>(b.area() + kLine * (1 + of));
  };
  std::uint64_t round = 0;
  const auto check = [&] {
    constexpr int kRounds = 200;
    for (int i = 0; i < kRounds; ++i) {
      round_of(rank).store(++round, std::memory_order_relaxed);
      barrier();
      for (std::size_t other = 0; other < ranks; ++other) {
        if (round_of(other).load(std::memory_order_relaxed) < round) {
          throw wrong_item("process " + std::to_string(rank) + " passed the barrier before another had come");
        }
      }
    }
  };
  check();
  time_steps(b, rank, barrier);
  check();
}

}  // namespace bench::collective
