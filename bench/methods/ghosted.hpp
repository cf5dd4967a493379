// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "methods/steps.hpp"
#include "support/mpi.hpp"

namespace bench {

/// Some rows of a grid, with room for `halo` rows of the neighbours above and below. (i, j) counts from the first own row;
/// -1 is the last row of the neighbour above.
class ghosted_block {
 public:
  ghosted_block(std::size_t rows, std::size_t columns, std::size_t halo)
      : columns_(static_cast<std::ptrdiff_t>(columns)),
        values_((rows + 2 * halo) * columns),
        own_(values_.data() + halo * columns) {}

  double& operator()(std::ptrdiff_t i, std::ptrdiff_t j) const noexcept { return own_[i * columns_ + j]; }

 private:
  std::ptrdiff_t columns_;
  std::vector<double> values_;
  double* own_;
};

/// The exchange of the rows at the edges with the neighbours, as requests that are made once and started each time; the
/// rows are sent from where they are and received where they are read.
class halo_exchange {
 public:
  halo_exchange(const ghosted_block& block, const row_range& rows, std::size_t order, std::size_t halo, int rank) {
    const auto width = static_cast<std::ptrdiff_t>(halo), last = static_cast<std::ptrdiff_t>(rows.count());
    const int count = static_cast<int>(halo * order);
    const auto with = [&](int other, std::ptrdiff_t send, std::ptrdiff_t receive) {
      constexpr int kTag = 0;
      requests_.resize(requests_.size() + 2);
      MPI_Recv_init(&block(receive, 0), count, MPI_DOUBLE, other, kTag, MPI_COMM_WORLD, &requests_.end()[-2]);
      MPI_Send_init(&block(send, 0), count, MPI_DOUBLE, other, kTag, MPI_COMM_WORLD, &requests_.end()[-1]);
    };
    if (rows.first > 0) with(rank - 1, 0, -width);
    if (rows.last < order) with(rank + 1, last - width, last);
  }
  halo_exchange(const halo_exchange&) = delete;
  halo_exchange& operator=(const halo_exchange&) = delete;
  ~halo_exchange() {
    for (MPI_Request& each : requests_) MPI_Request_free(&each);
  }

  void start() {
    if (requests_.empty()) return;  // it is alone, and OpenMPI does not take none
    MPI_Startall(static_cast<int>(requests_.size()), requests_.data());
  }
  void wait() { MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE); }

 private:
  std::vector<MPI_Request> requests_;
};

}  // namespace bench
