// SPDX-License-Identifier: BSL-1.0
//
// Each process keeps its rows and a copy of the neighbours' edges, which travel while it works on the rows in between.
#include "heat/question.hpp"
#include "methods/ghosted.hpp"

namespace {

void member(bench::board& b, std::size_t rank) {
  using namespace bench::heat;
  const std::size_t order = b.plan().order;
  const bench::row_range rows = bench::rows_of(order, b.members(), rank);
  const inner_rows inner(rows, order);
  bench::ghosted_block from(rows.count(), order, 1), to(rows.count(), order, 1);
  for (std::size_t i = rows.first; i < rows.last; ++i) {
    for (std::size_t j = 0; j < order; ++j) {
      const bool border = i == 0 || i + 1 == order || j == 0 || j + 1 == order;
      from(static_cast<std::ptrdiff_t>(i - rows.first), static_cast<std::ptrdiff_t>(j)) =
          border ? 0 : at_first(i, j, order);
    }
  }
  bench::halo_exchange exchange_from(from, rows, order, 1, static_cast<int>(rank));
  bench::halo_exchange exchange_to(to, rows, order, 1, static_cast<int>(rank));

  std::vector<double> changes(order);
  double change = 0;
  bool forth = true;
  const auto step = [&] {
    bench::halo_exchange& exchange = forth ? exchange_from : exchange_to;
    const bench::ghosted_block& now = forth ? from : to;
    const bench::ghosted_block& next = forth ? to : from;
    exchange.start();
    sweep(now, next, inner.first + 1, inner.last - 1, changes);
    exchange.wait();
    sweep(now, next, inner.first, inner.first + 1, changes);
    sweep(now, next, inner.last - 1, inner.last, changes);
    const double mine = take_largest(changes);
    MPI_Allreduce(&mine, &change, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    forth = !forth;
  };
  const std::uint64_t steps = bench::time_steps(b, rank, step);
  check(forth ? from : to, rows, order, steps, change);
}

}  // namespace

int main(int argc, char** argv) { return bench::run_mpi(argc, argv, {bench::heat::kQuestion, "openmpi", member}); }
