// SPDX-License-Identifier: BSL-1.0
//
// Two distributed arrays; the neighbours' edges are read where they are. That everybody knows the largest change is also
// what says that everybody is done with the step.
#include "heat/question.hpp"
#include "support/team.hpp"

namespace {

using grid = weir::distributed_array<double, 2>;

void member(weir::team& team, const std::string& board_path, const grid& first, const grid& second) {
  bench::as_member(board_path, team, [&](bench::board& b) {
    using namespace bench::heat;
    const std::size_t order = b.plan().order;
    const bench::row_range rows = bench::rows_of(order, b.members(), team.rank());
    const inner_rows inner(rows, order);
    // A neighbour may be a step ahead in what it writes, never in what is read here.
    const auto from = first.halo(1), to = second.halo(1);
    std::vector<double> changes(order);
    double change = 0;
    bool forth = true;
    const auto larger = [](double x, double y) { return x < y ? y : x; };
    const auto step = [&] {
      sweep(forth ? from : to, forth ? to : from, inner.first, inner.last, changes);
      change = team.all_reduce(take_largest(changes), larger);
      forth = !forth;
    };
    const std::uint64_t steps = bench::time_steps(b, team.rank(), step);
    check(forth ? from : to, rows, order, steps, change);
  });
}

void run(bench::board& b, weir::session& session) {
  const std::size_t order = b.plan().order;
  const weir::distributed_options by_rows{.grid = {b.members(), 1}};
  const grid first = grid::zeros({order, order}, by_rows), second = grid::zeros({order, order}, by_rows);
  for (std::size_t i = 1; i + 1 < order; ++i) {
    for (std::size_t j = 1; j + 1 < order; ++j) first(i, j) = bench::heat::at_first(i, j, order);
  }
  session.spmd(member, b.path(), first, second);
}

}  // namespace

int main(int argc, char** argv) { return bench::run_team(argc, argv, {bench::heat::kQuestion, "weir", nullptr}, run); }
