// SPDX-License-Identifier: BSL-1.0
//
// Two distributed arrays; the neighbours' edges are read where they are. What no neighbour reads is changed at once, the
// edges between two barriers; so there is one wait for the slower of the two in each iteration, as in an exchange of edges.
#include "stencil/question.hpp"
#include "support/team.hpp"

namespace {

using grid = weir::distributed_array<double, 2>;

void member(weir::team& team, const std::string& board_path, const grid& source, const grid& sum) {
  bench::as_member(board_path, team, [&](bench::board& b) {
    using namespace bench::stencil;
    const std::size_t order = b.plan().order;
    const auto columns = static_cast<std::ptrdiff_t>(order);
    const bench::row_range rows = bench::rows_of(order, b.members(), team.rank());
    const inner_rows inner(rows, order);
    const auto in = source.halo(kRadius), out = sum.halo(0);
    const auto count = static_cast<std::ptrdiff_t>(rows.count());
    // The rows that nobody else reads.
    const std::ptrdiff_t first = rows.first == 0 ? 0 : kRadius, last = rows.last == order ? count : count - kRadius;
    const auto step = [&] {
      apply(in, out, inner.first, inner.last, columns);
      add_one(in, first, last, columns);
      team.barrier();
      add_one(in, 0, first, columns);
      add_one(in, last, count, columns);
      team.barrier();
    };
    check(out, inner, columns, bench::time_steps(b, team.rank(), step));
  });
}

void run(bench::board& b, weir::session& session) {
  const std::size_t order = b.plan().order;
  const weir::distributed_options by_rows{.grid = {b.members(), 1}};
  const grid in = grid::zeros({order, order}, by_rows), out = grid::zeros({order, order}, by_rows);
  for (std::size_t i = 0; i < order; ++i) {
    for (std::size_t j = 0; j < order; ++j) in(i, j) = bench::stencil::at_first(i, j);
  }
  session.spmd(member, b.path(), in, out);
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_team(argc, argv, {bench::stencil::kQuestion, "weir", nullptr}, run);
}
