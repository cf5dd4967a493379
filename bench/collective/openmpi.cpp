// SPDX-License-Identifier: BSL-1.0
#include "collective/question.hpp"

#include "support/mpi.hpp"

namespace {

void member(bench::board& b, std::size_t rank) {
  const auto barrier = [] { MPI_Barrier(MPI_COMM_WORLD); };
  const auto sum = [](double mine) {
    double all = 0;
    MPI_Allreduce(&mine, &all, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    return all;
  };
  bench::collective::member(b, rank, barrier, sum);
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_mpi(argc, argv, {bench::collective::kQuestion, "openmpi", member});
}
