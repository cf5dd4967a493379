// SPDX-License-Identifier: BSL-1.0
//
// Two arrays; what another process has of the one is read where it is. It changes between two barriers.
#include "support/team.hpp"
#include "transpose/question.hpp"

namespace {

using matrix = weir::array<double, 2>;

void member(weir::team& team, const std::string& board_path, const matrix& a, const matrix& sum) {
  bench::as_member(board_path, team, [&](bench::board& b) {
    using namespace bench::transpose;
    const std::size_t order = b.plan().order, ranks = team.size(), rank = team.rank();
    const bench::row_range rows = block_of(b, rank);
    for (std::size_t i = rows.first; i < rows.last; ++i) {  // each touches first what is its own
      for (std::size_t j = 0; j < order; ++j) a(i, j) = at_first(i, j, order), sum(i, j) = 0;
    }
    team.barrier();

    const auto step = [&] {
      for_tiles(rows, rows, [&](std::size_t i, std::size_t j) {
        sum(j, i) += a(i, j);
        a(i, j) += 1.0;
      });
      for (std::size_t phase = 1; phase < ranks; ++phase) {
        const bench::row_range theirs = bench::rows_of(order, ranks, (rank + phase) % ranks);
        for_tiles(theirs, rows, [&](std::size_t i, std::size_t j) { sum(j, i) += a(i, j); });
      }
      team.barrier();
      for (std::size_t i = rows.first; i < rows.last; ++i) {
        for (std::size_t j = 0; j < rows.first; ++j) a(i, j) += 1.0;
        for (std::size_t j = rows.last; j < order; ++j) a(i, j) += 1.0;
      }
      team.barrier();
    };
    const std::uint64_t steps = bench::time_steps(b, rank, step);
    check(sum, rows, order, steps);
  });
}

void run(bench::board& b, weir::session& session) {
  const std::size_t order = b.plan().order;
  session.spmd(member, b.path(), matrix({order, order}), matrix({order, order}));
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_team(argc, argv, {bench::transpose::kQuestion, "weir", nullptr}, run);
}
