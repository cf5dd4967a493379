// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "support/contender.hpp"

namespace bench {

/// The middle one of them, which must not be none.
[[nodiscard]] inline double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Some processes that do the same steps together. The first of them keeps the time: steps are timed in batches, of one
/// step if it takes long enough to be timed, and what is reported is the median of a batch, divided by its steps.
/// How many there will be is found in the warm-up, and is the same everywhere, so that no step is about when to stop.
/// Returns how many steps were made, those of the warm-up included. What they have done is for the caller to check.
template <class Step>
std::uint64_t time_steps(board& b, std::size_t rank, Step step) {
  constexpr std::uint64_t kFirst = 3, kTried = 4;  // the first few touch new memory
  constexpr double kWarmUp = 0.1;                  // of the timed part
  constexpr double kBatchNs = 20'000;              // a reading of the clock takes about 1/1000 of that
  auto& agreed = *reinterpret_cast<std::array<std::atomic<std::uint64_t>, 2>*>(b.area());
  std::uint64_t made = 0;
  const auto make = [&](std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) step();
    made += count;
  };
  // How long one of them takes, in ns.
  const auto try_out = [&](std::uint64_t count) {
    const nanoseconds begin = now();
    make(count);
    return static_cast<double>((now() - begin).count()) / static_cast<double>(count);
  };
  const double length = b.plan().seconds * 1e9;
  // The first process writes it, and all read it after they have met.
  const auto agree = [&](std::size_t stage, double first, double second) {
    if (rank == 0) agreed[0] = static_cast<std::uint64_t>(first), agreed[1] = static_cast<std::uint64_t>(second);
    b.arrive(stage);
    return std::pair(agreed[0].load(), agreed[1].load());
  };

  b.arrive(0);
  make(kFirst);
  const auto [more, none] = agree(1, std::max(2.0, kWarmUp * length / try_out(kTried)), 0);
  const double took = try_out(more);
  const double steps_in_batch = std::max(1.0, kBatchNs / took);
  const auto [batch, batches] = agree(2, steps_in_batch, std::max(3.0, length / (steps_in_batch * took)));

  std::vector<double> times;
  times.reserve(batches);
  member_report& report = b.report(rank);
  const nanoseconds cpu_before = cpu_time();
  report.begin = report.end = now();
  for (std::uint64_t i = 0; i < batches; ++i) {
    make(batch);
    const nanoseconds time = now();
    times.push_back(static_cast<double>((time - report.end).count()) / static_cast<double>(batch));
    report.end = time;
  }
  report.cpu = cpu_time() - cpu_before;
  report.cpu_messages = batches * batch;
  if (rank == 0) {
    report.items = batches * batch;
    report.median_ns = median_of(std::move(times));
  } else {
    report.side = 1;
    report.begin = report.end = {};
  }
  b.arrive(3);
  return made;
}

/// The rows of one of `ranks` processes that share `order` rows: as equal as can be, the first ones have the rest.
struct row_range {
  std::size_t first;
  std::size_t last;  // one past the end

  [[nodiscard]] std::size_t count() const noexcept { return last - first; }
};
[[nodiscard]] inline row_range rows_of(std::size_t order, std::size_t ranks, std::size_t rank) noexcept {
  const std::size_t each = order / ranks, rest = order % ranks;
  const std::size_t first = rank * each + std::min(rank, rest);
  return {first, first + each + (rank < rest ? 1 : 0)};
}

/// For questions about teams: as many processes as the plan says, and no queues.
inline std::size_t ranks_of(const plan& p) { return p.ranks; }
inline std::size_t no_queues(const plan& /*p*/) { return 0; }

}  // namespace bench
