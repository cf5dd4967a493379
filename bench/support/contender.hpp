// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/board.hpp"

namespace bench {

/// This machine, or this peer, cannot do what was asked. The run says why, instead of a figure; it is no failure.
class not_available : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct question {
  const char* name;
  std::size_t (*members)(const plan&);  // how many processes it takes
  std::size_t (*queues)(const plan&);   // and queues between them
};

/// One program: a question, and who answers it.
struct contender {
  bench::question question;
  const char* name;
  void (*member)(board&, std::size_t rank);  // what each process does
  // What has to be there before they start (pipes, queues, a daemon), and goes when they have ended.
  std::shared_ptr<void> (*host)(board&) = nullptr;
};

/// Runs a contender and prints one line of JSON. The exit status: 0 a figure, or the reason why there can be none; 1 a
/// wrong answer or another failure, and then no figure; 2 wrong usage.
/// These differ in how the processes come to be: fork(), weir's workers (and this process), mpirun. team.hpp has another.
int run_forked(int argc, char** argv, const contender& who);
int run_weir(int argc, char** argv, const contender& who);
int run_mpi(int argc, char** argv, const contender& who);

/// A contender on `Transport`, whose `host` is made before the members start.
template <class Transport>
std::shared_ptr<void> host_of(board& b) {
  return std::make_shared<typename Transport::host>(b);
}

// ---- for run_*()

/// The plan of a command line. `argument` is that of the hidden option --member, for processes that are started anew.
struct command_line {
  bench::plan plan;
  std::string member;
};
/// Ends the program after --help and wrong usage.
command_line parse(int argc, char** argv, const contender& who);
/// Prints the figures that the members have left. Throws wrong_item if what was received is not what was sent.
void print_report(board& b, const contender& who);
/// Prints others instead: what a program without members has found by itself.
struct figure {
  std::string name;
  double value;
};
void print_figures(const plan& plan, const contender& who, const std::vector<figure>& figures);
void print_not_available(const plan& plan, const contender& who, const char* reason);
/// Calls `action`, which returns an exit status; says on stderr what it throws, or prints why there is no figure.
int guarded(const plan& plan, const contender& who, const std::function<int()>& action);
/// Makes the run's board.
std::unique_ptr<board> make_board(const plan& plan, const contender& who);
/// Puts this process where its rank is to run: one or two members have a CPU each; more of them share both.
void pin_member(const board& b, std::size_t rank);
/// Seconds after which a run is given up.
[[nodiscard]] unsigned watchdog_seconds(const plan& plan);

}  // namespace bench
