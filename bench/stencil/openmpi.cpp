// SPDX-License-Identifier: BSL-1.0
//
// Each process keeps its rows and a copy of the neighbours' edges, which travel while it works on the rows in between.
#include "methods/ghosted.hpp"
#include "stencil/question.hpp"

namespace {

void member(bench::board& b, std::size_t rank) {
  using namespace bench::stencil;
  const std::size_t order = b.plan().order;
  const auto columns = static_cast<std::ptrdiff_t>(order);
  const bench::row_range rows = bench::rows_of(order, b.members(), rank);
  const auto count = static_cast<std::ptrdiff_t>(rows.count());
  const inner_rows inner(rows, order);
  const bench::ghosted_block in(rows.count(), order, kRadius), out(rows.count(), order, 0);
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    for (std::ptrdiff_t j = 0; j < columns; ++j) {
      in(i, j) = at_first(rows.first + static_cast<std::size_t>(i), static_cast<std::size_t>(j));
    }
  }
  bench::halo_exchange exchange(in, rows, order, kRadius, static_cast<int>(rank));
  // The rows that need nobody else's.
  const std::ptrdiff_t first = std::max(inner.first, rows.first == 0 ? 0 : kRadius);
  const std::ptrdiff_t last = std::min(inner.last, rows.last == order ? count : count - kRadius);

  const auto step = [&] {
    exchange.start();
    apply(in, out, first, last, columns);
    exchange.wait();
    apply(in, out, inner.first, first, columns);
    apply(in, out, last, inner.last, columns);
    add_one(in, 0, count, columns);
  };
  check(out, inner, columns, bench::time_steps(b, rank, step));
}

}  // namespace

int main(int argc, char** argv) { return bench::run_mpi(argc, argv, {bench::stencil::kQuestion, "openmpi", member}); }
