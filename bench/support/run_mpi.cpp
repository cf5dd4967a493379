// SPDX-License-Identifier: BSL-1.0
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "support/contender.hpp"
#include "support/mpi.hpp"

namespace bench {
namespace {

int be_member(const std::string& board_path, const contender& who) {
  board b(board_path);
  // Before MPI_Init(), which starts threads: they are to be where the process is.
  pin_member(b, static_cast<std::size_t>(std::stoi(std::getenv("OMPI_COMM_WORLD_RANK"))));
  MPI_Init(nullptr, nullptr);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  try {
    who.member(b, static_cast<std::size_t>(rank));
  } catch (const std::exception& error) {
    b.fail(error.what());
    std::_Exit(1);  // mpirun ends the others
  }
  MPI_Finalize();
  return 0;
}

/// Starts this program anew as the members. Returns mpirun's wait status.
int run_members(const std::vector<std::string>& arguments) {
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (const std::string& each : arguments) pointers.push_back(const_cast<char*>(each.c_str()));
  pointers.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) std::_Exit(1);
    ::dup2(STDERR_FILENO, STDOUT_FILENO);  // stdout is for the line of JSON
    ::execvp(pointers.front(), pointers.data());
    std::_Exit(1);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
  }
  return status;
}

}  // namespace

int run_mpi(int argc, char** argv, const contender& who) {
  const command_line command = parse(argc, argv, who);
  if (!command.member.empty()) return be_member(command.member, who);
  return guarded(command.plan, who, [&] {
    const std::unique_ptr<board> shared = make_board(command.plan, who);
    board& b = *shared;
    const std::string self = std::filesystem::read_symlink("/proc/self/exe");
    const std::string watchdog = std::to_string(watchdog_seconds(command.plan));
    // As root, and more processes than CPUs, if that is how the benchmark is run; where each process runs is our affair.
    // Where they share CPUs they yield while they wait, as MPI's manual advises.
    const int status = run_members({"mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none",
                                    "--timeout", watchdog, "--mca", "mpi_yield_when_idle", b.members() > 2 ? "1" : "0",
                                    "-n", std::to_string(b.members()), self, "--member", b.path()});
    if (status != 0) throw std::runtime_error(b.failure().empty() ? "mpirun failed" : b.failure());
    print_report(b, who);
    return 0;
  });
}

}  // namespace bench
