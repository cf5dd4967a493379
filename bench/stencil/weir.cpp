// SPDX-License-Identifier: BSL-1.0
//
// Two distributed arrays; the neighbours' edges are read where they are. A process tells its neighbours when it has read theirs,
// which they may change then, and when it has changed its own, and works on what is nobody else's in between: as in an exchange
// of edges that is begun early and waited for late, nobody waits for one who is only a little behind.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "stencil/question.hpp"
#include "support/team.hpp"

namespace {

using grid = weir::distributed_array<double, 2>;

enum class note : std::int64_t { read, changed };

/// The ranks with the rows above and below.
class neighbours {
 public:
  explicit neighbours(weir::team& team) : team_(team) {
    if (team.rank() > 0) ranks_.push_back(team.rank() - 1);
    if (team.rank() + 1 < team.size()) ranks_.push_back(team.rank() + 1);
  }

  void tell(note what) const {
    for (const std::size_t rank : ranks_) team_.send(rank, static_cast<std::int64_t>(what), char{});
  }
  void hear(note what) const {
    for (const std::size_t rank : ranks_) static_cast<void>(team_.receive<char>(rank, static_cast<std::int64_t>(what)));
  }

 private:
  weir::team& team_;
  std::vector<std::size_t> ranks_;
};

void member(weir::team& team, const std::string& board_path, const grid& source, const grid& sum) {
  bench::as_member(board_path, team, [&](bench::board& b) {
    using namespace bench::stencil;
    const std::size_t order = b.plan().order;
    const auto columns = static_cast<std::ptrdiff_t>(order);
    const bench::row_range rows = bench::rows_of(order, b.members(), team.rank());
    const inner_rows inner(rows, order);
    const auto in = source.halo(kRadius), out = sum.halo(0);
    const auto count = static_cast<std::ptrdiff_t>(rows.count());
    // The rows that nobody else reads, and of them those that need nobody else's.
    const std::ptrdiff_t first = rows.first == 0 ? 0 : kRadius, last = rows.last == order ? count : count - kRadius;
    const std::ptrdiff_t own_first = std::max(inner.first, first), own_last = std::min(inner.last, last);
    const neighbours others(team);
    const auto step = [&] {
      apply(in, out, own_first, own_last, columns);
      others.hear(note::changed);
      apply(in, out, inner.first, own_first, columns);
      apply(in, out, own_last, inner.last, columns);
      others.tell(note::read);
      add_one(in, first, last, columns);
      others.hear(note::read);
      add_one(in, 0, first, columns);
      add_one(in, last, count, columns);
      others.tell(note::changed);
    };
    others.tell(note::changed);
    const std::uint64_t steps = bench::time_steps(b, team.rank(), step);
    others.hear(note::changed);
    check(out, inner, columns, steps);
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
