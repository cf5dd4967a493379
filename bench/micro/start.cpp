// SPDX-License-Identifier: BSL-1.0
//
// Question: how long is it from add_workers to workers that are ready for calls?
// Method: add_workers alone is timed. Each worker is then asked who it is, and removed.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "micro/machine.hpp"
#include "weir/weir.hpp"

namespace {

using clock_type = std::chrono::steady_clock;

void start(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  weir::session& session = bench::session();
  clock_type::duration slowest{};
  for (auto _ : state) {
    const auto begin = clock_type::now();
    const auto workers = session.add_workers(count);
    const auto took = clock_type::now() - begin;
    const bool right = workers.size() == count && std::all_of(workers.begin(), workers.end(), [](const auto& worker) {
                         return worker.fetch(weir::my_id) == worker.id();
                       });
    session.remove_workers(workers);
    if (!right) return state.SkipWithError("a worker did not answer as itself");
    slowest = std::max(slowest, took);
    state.SetIterationTime(std::chrono::duration<double>(took).count());
  }
  state.counters["slowest"] = std::chrono::duration<double>(slowest).count();
}

BENCHMARK(start)->Name("start/workers")->Arg(1)->Arg(4)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(10);

}  // namespace
