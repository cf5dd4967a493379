// SPDX-License-Identifier: BSL-1.0
//
// Question: what do a put and the take that follows it cost by themselves, where nobody waits and no line of memory
// moves between CPUs?
// Method: both by one thread, on a channel that is otherwise empty. The time is that of the pair.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "micro/machine.hpp"
#include "weir/channel.hpp"

namespace {

constexpr std::size_t kCapacity = 64;
constexpr std::size_t kVectorBytes = 4096;
constexpr std::size_t kElements = kVectorBytes / sizeof(std::int64_t);

void number(benchmark::State& state) {
  const bench::pinned_thread here(bench::cpus().here);
  weir::channel<std::int64_t> ch(kCapacity);
  std::int64_t n = 0;
  for (auto _ : state) {
    ch.put(++n);
    if (ch.take() != n) return state.SkipWithError("another number was taken");
  }
}

void vector_copied(benchmark::State& state) {
  const bench::pinned_thread here(bench::cpus().here);
  weir::channel<std::vector<std::int64_t>> ch(kCapacity);
  std::vector<std::int64_t> put(kElements), taken;
  for (auto _ : state) {
    ++put.back();
    ch.put(put);
    ch.take_into(taken);
    if (taken.size() != kElements || taken.back() != put.back()) return state.SkipWithError("another vector was taken");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kVectorBytes));
}

void vector_in_place(benchmark::State& state) {
  const bench::pinned_thread here(bench::cpus().here);
  weir::channel<std::vector<std::int64_t>> ch(kCapacity);
  std::int64_t n = 0;
  for (auto _ : state) {
    auto loan = ch.loan(kElements);
    loan[kElements - 1] = ++n;
    ch.put(std::move(loan));
    const auto view = ch.take_view();
    if (view.size() != kElements || view[kElements - 1] != n) return state.SkipWithError("another vector was taken");
  }
}

BENCHMARK(number)->Name("put_take/number/8B");
BENCHMARK(vector_copied)->Name("put_take/vector/copied/4KiB");
BENCHMARK(vector_in_place)->Name("put_take/vector/in_place/4KiB");

}  // namespace
