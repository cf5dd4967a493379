// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "methods/steps.hpp"

namespace bench {

/// Times some ways to do one thing, in one process: one after another, again and again for plan.seconds, each time
/// beginning with another one. Returns the times of each in ns, by round. `round` is that of the call, from 1.
inline std::vector<std::vector<double>> alternate(const plan& p,
                                                  const std::vector<std::function<void(std::uint64_t round)>>& ways) {
  constexpr std::uint64_t kWarmUp = 2, kLeast = 5;
  std::vector<std::vector<double>> times(ways.size());
  nanoseconds end{};
  for (std::uint64_t round = 1; round <= kWarmUp + kLeast || now() < end; ++round) {
    if (round == kWarmUp) end = now() + nanoseconds(static_cast<std::int64_t>(p.seconds * 1e9));
    for (std::size_t i = 0; i < ways.size(); ++i) {
      const std::size_t which = (i + round) % ways.size();
      const nanoseconds begin = now();
      ways[which](round);
      const nanoseconds took = now() - begin;
      if (round > kWarmUp) times[which].push_back(static_cast<double>(took.count()));
    }
  }
  return times;
}

/// The median of a round's first to its second time: what ran right after one another is compared.
[[nodiscard]] inline double median_ratio(const std::vector<double>& over, const std::vector<double>& under) {
  std::vector<double> ratios(over.size());
  for (std::size_t i = 0; i < ratios.size(); ++i) ratios[i] = over[i] / under[i];
  return median_of(std::move(ratios));
}

}  // namespace bench
