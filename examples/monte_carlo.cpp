// SPDX-License-Identifier: BSL-1.0
//
// Two estimates by random numbers, each worked out in many small tasks on all workers: pi with reduce, the price of an
// option with map. A task has its own seed, so that the answers do not depend on how many workers there are.
//
//   monte_carlo [WORKERS]
#include <weir/weir.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iomanip>
#include <iostream>
#include <numbers>
#include <numeric>
#include <random>
#include <vector>

namespace {

/// Numbers in [0, 1), the same on every machine.
class uniform_numbers {
 public:
  explicit uniform_numbers(std::uint64_t seed) : engine_(seed) {}
  double operator()() { return static_cast<double>(engine_() >> 11U) * 0x1p-53; }

 private:
  std::mt19937_64 engine_;
};

// ---- pi: of points in a square, so many lie in the quarter of a circle

constexpr std::uint64_t kPoints = 200'000;  // in a task

std::uint64_t points_inside(std::uint64_t seed) {
  uniform_numbers next(seed);
  std::uint64_t inside = 0;
  for (std::uint64_t i = 0; i < kPoints; ++i) {
    const double x = next();
    const double y = next();
    if (x * x + y * y < 1) ++inside;
  }
  return inside;
}

// ---- a call option: the right to buy a share in a year, at a price that is fixed today

struct option {
  double price_today = 100;
  double price_to_pay = 105;
  double interest = 0.03;    // a year
  double volatility = 0.25;  // likewise
};

struct task {
  option what;
  std::uint64_t seed = 0;
  int paths = 0;
};

/// What the option was worth in the paths of a task.
struct outcome {
  double sum = 0;
  double sum_of_squares = 0;
  int paths = 0;
};

outcome follow_paths(const task& t) {
  uniform_numbers next(t.seed);
  const double drift = t.what.interest - t.what.volatility * t.what.volatility / 2;
  outcome o{.paths = t.paths};
  for (int i = 0; i < t.paths; ++i) {
    const double normal = std::sqrt(-2 * std::log(1 - next())) * std::cos(2 * std::numbers::pi * next());
    const double price = t.what.price_today * std::exp(drift + t.what.volatility * normal);
    const double worth = std::exp(-t.what.interest) * std::max(price - t.what.price_to_pay, 0.0);
    o.sum += worth;
    o.sum_of_squares += worth * worth;
  }
  return o;
}

/// The same by the formula of Black and Scholes.
double exact_price(const option& o) {
  const auto normal = [](double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; };
  const double d =
      (std::log(o.price_today / o.price_to_pay) + o.interest + o.volatility * o.volatility / 2) / o.volatility;
  return o.price_today * normal(d) - o.price_to_pay * std::exp(-o.interest) * normal(d - o.volatility);
}

}  // namespace

int main(int argc, char** argv) {
  weir::session session;  // a worker serves calls here and never returns from this line
  session.add_workers(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 3);
  std::cout << std::fixed << std::setprecision(4);

  std::vector<std::uint64_t> seeds(60);
  std::iota(seeds.begin(), seeds.end(), 1);
  const std::uint64_t inside = session.reduce(points_inside, std::plus<>(), seeds);
  std::cout << "pi is about " << 4 * static_cast<double>(inside) / static_cast<double>(seeds.size() * kPoints) << '\n';

  std::vector<task> tasks;
  for (const std::uint64_t seed : seeds) tasks.push_back({option{}, seed, 50'000});
  outcome all;
  for (const outcome& o : session.map(follow_paths, tasks, {.batch_size = 4, .retries = 1, .progress = true})) {
    all.sum += o.sum;
    all.sum_of_squares += o.sum_of_squares;
    all.paths += o.paths;
  }
  const double mean = all.sum / all.paths;
  const double error = std::sqrt((all.sum_of_squares / all.paths - mean * mean) / all.paths);
  std::cout << "the option is worth about " << mean << ", give or take " << error << "; by the formula "
            << exact_price(option{}) << '\n';
}
