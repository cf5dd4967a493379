// SPDX-License-Identifier: BSL-1.0
//
// Questions: how long does an item take from one process to another, and how many of them pass in a second?
// Method: this process and a worker, each on a CPU of its own. Latency: there and back through two channels, halved.
// Stream: the worker puts without a pause, this process takes; the time is that of one item once the stream flows.
// Ways: a number; a vector, copied in by put and out by take_into; a vector written in a loan and read in a view, of
// which only both ends are touched, so that what remains is the handing over.
// Every item carries its number at both ends, and is checked.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "histogram.hpp"
#include "machine.hpp"
#include "weir/weir.hpp"

namespace {

using clock_type = std::chrono::steady_clock;
using number = std::int64_t;

constexpr number kWrong = -1;  // what take() gives if the item is damaged
constexpr number kWarmUpItems = 100;

// Some, and no more memory than caches and small machines have.
std::size_t capacity_for(std::size_t item_bytes) {
  constexpr std::size_t kBytesInFlight = std::size_t{4} << 20U;
  return std::clamp<std::size_t>(kBytesInFlight / item_bytes, 2, 256);
}

// One round trip of so many has its time taken. For small items the clock costs too much to be read each time.
constexpr number sample_every(std::size_t item_bytes) { return item_bytes < 4096 ? 16 : 1; }

// ---- the ways of handing items over

class plain {
 public:
  using item = number;
  explicit plain(std::size_t /*bytes*/) {}
  void put(weir::channel<item>& to, number n) { to.put(n); }
  number take(weir::channel<item>& from) { return from.take(); }
};

class copied {
 public:
  using item = std::vector<number>;
  explicit copied(std::size_t bytes) : elements_(bytes / sizeof(number)), out_(elements_), in_(elements_) {}
  void put(weir::channel<item>& to, number n) {
    out_.front() = out_.back() = n;
    to.put(out_);
  }
  number take(weir::channel<item>& from) {
    from.take_into(in_);
    return in_.size() == elements_ && in_.front() == in_.back() ? in_.front() : kWrong;
  }

 private:
  std::size_t elements_;
  item out_, in_;
};

class in_place {
 public:
  using item = std::vector<number>;
  explicit in_place(std::size_t bytes) : elements_(bytes / sizeof(number)) {}
  void put(weir::channel<item>& to, number n) {
    auto loan = to.loan(elements_);
    loan[0] = loan[elements_ - 1] = n;
    to.put(std::move(loan));
  }
  number take(weir::channel<item>& from) {
    const auto view = from.take_view();
    return view.size() == elements_ && view[0] == view[elements_ - 1] ? view[0] : kWrong;
  }

 private:
  std::size_t elements_;
};

// ---- what the worker does, until the channel is closed

template <class Way>
void echo(weir::channel<typename Way::item> there, weir::channel<typename Way::item> back, std::size_t bytes) {
  Way way(bytes);
  try {
    for (;;) way.put(back, way.take(there));
  } catch (const weir::channel_closed&) {
    return;
  }
}

template <class Way>
void feed(weir::channel<typename Way::item> there, std::size_t bytes) {
  Way way(bytes);
  try {
    for (number n = 0;; ++n) way.put(there, n);
  } catch (const weir::channel_closed&) {
    return;
  }
}

// ---- what this process does

template <class Way>
void latency(benchmark::State& state) {
  using channel = weir::channel<typename Way::item>;
  const auto bytes = static_cast<std::size_t>(state.range(0));
  const weir::worker& peer = bench::peer();
  const bench::pinned_thread here(bench::cpus().here);
  channel there(capacity_for(bytes)), back(capacity_for(bytes));
  const weir::future<void> echoed = peer.call(echo<Way>, there, back, bytes);

  Way way(bytes);
  number sent = 0;
  const auto round_trip = [&] {
    way.put(there, ++sent);
    return way.take(back) == sent;
  };
  bool right = true;
  while (right && sent < kWarmUpItems) right = round_trip();
  const number every = sample_every(bytes);
  bench::histogram one_way;
  for (auto _ : state) {
    if (sent % every == 0) {
      const auto start = clock_type::now();
      right = round_trip();
      one_way.add((clock_type::now() - start) / 2);
    } else {
      right = round_trip();
    }
    if (!right) break;
  }
  there.close();
  echoed.get();
  if (!right) return state.SkipWithError("another item came back");
  state.counters["one_way"] = {2.0 * static_cast<double>(state.iterations()),
                               benchmark::Counter::kIsRate | benchmark::Counter::kInvert};
  bench::report(state, "one_way", one_way);
}

template <class Way>
void stream(benchmark::State& state) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  const weir::worker& peer = bench::peer();
  const bench::pinned_thread here(bench::cpus().here);
  weir::channel<typename Way::item> there(capacity_for(bytes));
  const weir::future<void> fed = peer.call(feed<Way>, there, bytes);

  Way way(bytes);
  number taken = 0;
  bool right = true;
  // What was put before the stream flows is not to be counted.
  const auto filled = static_cast<number>(there.capacity());
  while (right && taken < 2 * filled + kWarmUpItems) right = way.take(there) == taken++;
  for (auto _ : state) {
    right = way.take(there) == taken++;
    if (!right) break;
  }
  there.close();
  fed.get();
  if (!right) return state.SkipWithError("an item is missing or damaged");
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void all_sizes(benchmark::internal::Benchmark* b) {
  constexpr std::int64_t kKi = 1024, kMi = kKi * kKi;
  for (const std::int64_t bytes : {std::int64_t{8}, std::int64_t{64}, kKi, 4 * kKi, 64 * kKi, kMi, 8 * kMi}) {
    b->Arg(bytes);
  }
  b->UseRealTime();
}

BENCHMARK_TEMPLATE(latency, plain)->Name("latency/number")->Arg(8)->UseRealTime();
BENCHMARK_TEMPLATE(latency, copied)->Name("latency/vector/copied")->Apply(all_sizes);
BENCHMARK_TEMPLATE(latency, in_place)->Name("latency/vector/in_place")->Apply(all_sizes);
BENCHMARK_TEMPLATE(stream, plain)->Name("stream/number")->Arg(8)->UseRealTime();
BENCHMARK_TEMPLATE(stream, copied)->Name("stream/vector/copied")->Apply(all_sizes);
BENCHMARK_TEMPLATE(stream, in_place)->Name("stream/vector/in_place")->Apply(all_sizes);

}  // namespace
