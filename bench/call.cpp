// SPDX-License-Identifier: BSL-1.0
//
// Questions: what does a call of a worker cost, from sending it to having its value, when calls follow each other, and
// what when both sides have gone to sleep before it?
// Method: a function that returns its argument, called from this process, each process on a CPU of its own.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "histogram.hpp"
#include "machine.hpp"
#include "weir/weir.hpp"

namespace {

using clock_type = std::chrono::steady_clock;
using namespace std::chrono_literals;

std::int64_t same(std::int64_t n) { return n; }

// Calls with a pause before each, which is not part of the time.
void round_trip(benchmark::State& state, std::chrono::milliseconds pause) {
  const weir::worker& peer = bench::peer();
  const bench::pinned_thread here(bench::cpus().here);
  constexpr std::int64_t kWarmUpCalls = 100;
  std::int64_t n = 0;
  while (n < kWarmUpCalls) peer.fetch(same, ++n);
  bench::histogram durations;
  for (auto _ : state) {
    if (pause > 0ms) std::this_thread::sleep_for(pause);
    const auto start = clock_type::now();
    const std::int64_t answer = peer.fetch(same, ++n);
    const auto took = clock_type::now() - start;
    if (answer != n) return state.SkipWithError("another call was answered");
    durations.add(took);
    state.SetIterationTime(std::chrono::duration<double>(took).count());
  }
  bench::report(state, "call", durations);
}

// Calls that are sent before the answers of earlier ones are there.
void many_at_once(benchmark::State& state) {
  constexpr std::size_t kCalls = 100;
  const weir::worker& peer = bench::peer();
  const bench::pinned_thread here(bench::cpus().here);
  std::vector<weir::future<std::int64_t>> answers(kCalls);
  std::int64_t sent = 0, answered = 0;
  for (auto _ : state) {
    for (auto& answer : answers) answer = peer.call(same, ++sent);
    for (const auto& answer : answers) {
      if (answer.get() != ++answered) return state.SkipWithError("another call was answered");
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kCalls));
}

BENCHMARK_CAPTURE(round_trip, spinning, 0ms)->Name("call/one_after_the_other")->UseManualTime();
BENCHMARK_CAPTURE(round_trip, sleeping, 2ms)->Name("call/after_a_pause")->UseManualTime()->Iterations(500);
BENCHMARK(many_at_once)->Name("call/100_at_once")->UseRealTime();

}  // namespace
