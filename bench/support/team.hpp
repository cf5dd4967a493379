// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <string>

#include "support/contender.hpp"
#include "weir/weir.hpp"

namespace bench {

/// Runs a contender whose processes are a team of weir's: as many workers as the question has members, while this process
/// waits. `run` has them do it, with session.spmd(), and prints as the other run_*() do.
int run_team(int argc, char** argv, const contender& who, void (*run)(board&, weir::session&));

/// In each process of the team: pins it, and calls work(board&). What that throws goes on, and ends the others too where
/// they wait for one another on the board.
template <class Work>
void as_member(const std::string& board_path, weir::team& team, Work work) {
  board b(board_path);
  try {
    pin_member(b, team.rank());
    work(b);
  } catch (const std::exception& error) {
    b.fail(error.what());
    throw;
  }
}

}  // namespace bench
