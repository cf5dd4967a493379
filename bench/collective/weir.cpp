// SPDX-License-Identifier: BSL-1.0
#include "collective/question.hpp"

#include <functional>

#include "support/team.hpp"

namespace {

void member(weir::team& team, const std::string& board_path) {
  bench::as_member(board_path, team, [&](bench::board& b) {
    const auto barrier = [&] { team.barrier(); };
    const auto sum = [&](double mine) { return team.all_reduce(mine, std::plus<>()); };
    bench::collective::member(b, team.rank(), barrier, sum);
  });
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_team(argc, argv, {bench::collective::kQuestion, "weir", nullptr},
                         [](bench::board& b, weir::session& session) { session.spmd(member, b.path()); });
}
