// SPDX-License-Identifier: BSL-1.0
//
// Question: what does a call of a worker cost if calls do not wait for the answers of earlier ones? (For calls one after the
// other see call/.)
// Method: a function that returns its argument, called from this process, each process on a CPU of its own. The time is that
// of 100 calls.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "micro/machine.hpp"
#include "weir/weir.hpp"

namespace {

std::int64_t same(std::int64_t n) { return n; }

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

BENCHMARK(many_at_once)->Name("call/100_at_once")->UseRealTime();

}  // namespace
