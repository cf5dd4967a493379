// SPDX-License-Identifier: BSL-1.0
//
// Question: is an array's memory as fast as any other?
// Method: STREAM's triad, a = b + s c, over three vectors of --bytes each (of four times the last cache's size, as STREAM
// asks for), by one process on a CPU of its own: over arrays, and over memory of malloc(), in turn. All of it was touched
// before. The loop is one function, called for both. How fast memory is depends on which pages of the machine it got, by a
// fifth and more, and later ones are often the faster: so there are two sets of vectors of each kind, made in the order
// malloc, array, array, malloc. The ratio is that of the rates of both sets, the median of those of single rounds.
// Check: every element of both, after the last round.
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include "methods/alternate.hpp"
#include "weir/weir.hpp"

namespace {

constexpr bench::question kQuestion{"triad", [](const bench::plan& /*p*/) -> std::size_t { return 1; },
                                    bench::no_queues};
constexpr bench::contender kWho{kQuestion, "weir", nullptr};

[[gnu::noinline]] void triad(double* a, const double* b, const double* c, double s, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) a[i] = b[i] + s * c[i];
}

struct vectors {
  std::span<double> a, b, c;

  void fill() const {
    for (std::size_t i = 0; i < a.size(); ++i) {
      a[i] = 0;
      b[i] = static_cast<double>(i);
      c[i] = static_cast<double>(i % 7);
    }
  }
  void run(std::uint64_t round) const { triad(a.data(), b.data(), c.data(), static_cast<double>(round), a.size()); }
  void check(std::uint64_t rounds) const {
    for (std::size_t i = 0; i < a.size(); ++i) {
      const auto s = static_cast<double>(rounds);
      if (a[i] != static_cast<double>(i) + s * static_cast<double>(i % 7))
        throw bench::wrong_item("an element is wrong");
    }
  }
};

struct freed {
  void operator()(double* memory) const noexcept { std::free(memory); }
};

int measure(const bench::plan& p) {
  const std::unique_ptr<bench::board> b = bench::make_board(p, kWho);
  bench::pin_member(*b, 0);
  const weir::session session;
  const std::size_t size = p.words();
  std::vector<std::unique_ptr<double, freed>> allocated;
  std::vector<weir::array<double>> made;
  const auto from_malloc = [&] {
    std::unique_ptr<double, freed> memory(static_cast<double*>(std::malloc(size * sizeof(double))));
    if (memory == nullptr) throw std::bad_alloc();
    return std::span(allocated.emplace_back(std::move(memory)).get(), size);
  };
  const auto from_array = [&] { return made.emplace_back(size).span(); };
  const auto filled = [](const auto& memory) {
    const vectors three{memory(), memory(), memory()};
    three.fill();
    return three;
  };
  std::vector<vectors> sets;
  sets.push_back(filled(from_malloc));
  sets.push_back(filled(from_array));
  sets.push_back(filled(from_array));
  sets.push_back(filled(from_malloc));

  std::uint64_t rounds = 0;
  std::vector<std::function<void(std::uint64_t)>> ways;
  for (const vectors& each : sets) ways.emplace_back([&](std::uint64_t round) { each.run(rounds = round); });
  const auto times = bench::alternate(p, ways);
  for (const vectors& each : sets) each.check(rounds);
  const auto both = [&](std::size_t first, std::size_t second) {
    std::vector<double> sum(times[first]);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += times[second][i];
    return sum;
  };
  const std::vector<double> arrays = both(1, 2), plain = both(0, 3);
  const auto rate = [&](const std::vector<double>& of) {
    return 2 * 3.0 * static_cast<double>(p.bytes) / bench::median_of(of) * 1e9;
  };
  bench::print_figures(p, kWho,
                       {{"array_bytes_per_second", rate(arrays)},
                        {"malloc_bytes_per_second", rate(plain)},
                        {"ratio", bench::median_ratio(plain, arrays)}});
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  weir::serve_if_worker();
  const bench::plan p = bench::parse(argc, argv, kWho).plan;
  return bench::guarded(p, kWho, [&] { return measure(p); });
}
