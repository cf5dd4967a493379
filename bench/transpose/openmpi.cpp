// SPDX-License-Identifier: BSL-1.0
//
// As the Parallel Research Kernels do it: what another process needs is transposed into a buffer, sent, received into
// another one, and added from there; the receive is posted first.
#include <vector>

#include "support/mpi.hpp"
#include "transpose/question.hpp"

namespace {

void member(bench::board& b, std::size_t rank) {
  using namespace bench::transpose;
  const std::size_t order = b.plan().order, ranks = b.members();
  const bench::row_range rows = block_of(b, rank);
  const std::size_t block = rows.count();
  std::vector<double> a_memory(block * order), b_memory(block * order), out(block * block), in(block * block);
  // By rows of the whole matrix, of which only those of this process are here.
  double* const a = a_memory.data();
  double* const sum = b_memory.data();
  const auto at = [&](std::size_t row, std::size_t column) { return (row - rows.first) * order + column; };
  for (std::size_t i = rows.first; i < rows.last; ++i) {
    for (std::size_t j = 0; j < order; ++j) a[at(i, j)] = at_first(i, j, order);
  }

  const auto step = [&] {
    for_tiles(rows, rows, [&](std::size_t i, std::size_t j) {
      sum[at(j, i)] += a[at(i, j)];
      a[at(i, j)] += 1.0;
    });
    for (std::size_t phase = 1; phase < ranks; ++phase) {
      const std::size_t from = (rank + phase) % ranks, to = (rank + ranks - phase) % ranks;
      const int count = static_cast<int>(block * block), tag = static_cast<int>(phase);
      MPI_Request requests[2];
      MPI_Irecv(in.data(), count, MPI_DOUBLE, static_cast<int>(from), tag, MPI_COMM_WORLD, &requests[0]);
      const bench::row_range theirs = bench::rows_of(order, ranks, to);
      for_tiles(rows, theirs, [&](std::size_t i, std::size_t j) {
        out[(j - theirs.first) * block + (i - rows.first)] = a[at(i, j)];
        a[at(i, j)] += 1.0;
      });
      MPI_Isend(out.data(), count, MPI_DOUBLE, static_cast<int>(to), tag, MPI_COMM_WORLD, &requests[1]);
      MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
      const std::size_t column = bench::rows_of(order, ranks, from).first;
      for (std::size_t i = 0; i < block; ++i) {
        double* const row = sum + i * order + column;
        const double* const received = in.data() + i * block;
        for (std::size_t j = 0; j < block; ++j) row[j] += received[j];
      }
    }
  };
  const std::uint64_t steps = bench::time_steps(b, rank, step);
  check([&](std::size_t i, std::size_t j) { return sum[at(i, j)]; }, rows, order, steps);
}

}  // namespace

int main(int argc, char** argv) { return bench::run_mpi(argc, argv, {bench::transpose::kQuestion, "openmpi", member}); }
