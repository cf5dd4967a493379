// SPDX-License-Identifier: BSL-1.0
//
// Question: what does it cost to say a(i, j), instead of using a pointer?
// Method: 512 KiB of doubles, which fit a second-level cache, in rows of --order, are read (added to a sum for each column) or
// written, row by row, by one process on a CPU of its own: through a plain pointer and through an array; and through
// another pointer and a distributed array. The pointer is that to the array's own memory, so that nothing differs but how
// an element is found. In turn; the ratio is the median of those of single rounds.
// Check: the sums, and the elements, are what they have to be.
#include <functional>

#include "methods/alternate.hpp"
#include "weir/weir.hpp"

namespace {

constexpr bench::question kQuestion{"elements", [](const bench::plan& /*p*/) -> std::size_t { return 1; },
                                    bench::no_queues};
constexpr bench::contender kWho{kQuestion, "weir", nullptr};

struct pointer {
  double* first;
  std::size_t columns;
  double& operator()(std::size_t i, std::size_t j) const noexcept { return first[i * columns + j]; }
};

/// sums[j] += all elements of column j.
template <class A>
[[gnu::noinline]] void read_all(const A& a, std::size_t rows, std::size_t columns, double* sums) {
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) sums[j] += a(i, j);
  }
}

/// a(i, j) becomes values[j] * factor.
template <class A>
[[gnu::noinline]] void write_all(const A& a, std::size_t rows, std::size_t columns, const double* values,
                                 double factor) {
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) a(i, j) = values[j] * factor;
  }
}

void require(bool right) {
  if (!right) throw bench::wrong_item("an element, or a sum, is wrong");
}

constexpr std::size_t kElements = 65'536;

/// The medians of reading and writing through `pointers` and through `a`, and their ratios, of one kind of array.
template <class A>
void compare(const bench::plan& p, const std::string& kind, const A& a, double* memory,
             std::vector<bench::figure>& figures) {
  const std::size_t columns = p.order, rows = kElements / columns;
  const pointer plain{memory, columns};
  std::vector<double> values(columns), sums(columns);
  for (std::size_t j = 0; j < columns; ++j) values[j] = static_cast<double>(j + 1);
  const auto is_written = [&](double factor) {
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < columns; ++j) require(a(i, j) == values[j] * factor && &a(i, j) == &plain(i, j));
    }
  };
  const auto add = [&](const char* what, const std::vector<std::vector<double>>& times) {
    figures.push_back({kind + "_" + what + "_ns", bench::median_of(times[1]) / static_cast<double>(rows * columns)});
    figures.push_back(
        {kind + "_" + what + "_pointer_ns", bench::median_of(times[0]) / static_cast<double>(rows * columns)});
    figures.push_back({kind + "_" + what + "_ratio", bench::median_ratio(times[1], times[0])});
  };

  double last = 0;
  add("write", bench::alternate(p, {[&](std::uint64_t round) {
                                      write_all(plain, rows, columns, values.data(), last = static_cast<double>(round));
                                    },
                                    [&](std::uint64_t round) {
                                      write_all(a, rows, columns, values.data(), last = -static_cast<double>(round));
                                    }}));
  is_written(last);
  std::uint64_t rounds = 0;
  add("read",
      bench::alternate(p, {[&](std::uint64_t /*round*/) { read_all(plain, rows, columns, sums.data()); },
                           [&](std::uint64_t round) { read_all(a, rows, columns, sums.data()), rounds = round; }}));
  for (std::size_t j = 0; j < columns; ++j) {
    require(sums[j] == static_cast<double>(2 * rounds * rows) * last * values[j]);
  }
}

int measure(bench::plan p) {
  const std::unique_ptr<bench::board> b = bench::make_board(p, kWho);
  bench::pin_member(*b, 0);
  const weir::session session;
  p.seconds /= 4;  // for each of the comparisons
  std::vector<bench::figure> figures;
  const weir::array<double, 2> array({kElements / p.order, p.order});
  compare(p, "array", array, array.data(), figures);
  const auto distributed = weir::distributed_array<double, 2>::zeros({kElements / p.order, p.order});
  compare(p, "distributed", distributed, distributed.storage().data(), figures);
  bench::print_figures(p, kWho, figures);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  weir::serve_if_worker();
  const bench::plan p = bench::parse(argc, argv, kWho).plan;
  return bench::guarded(p, kWho, [&] { return measure(p); });
}
