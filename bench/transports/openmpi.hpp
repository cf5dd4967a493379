// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/mpi.hpp"
#include "transports/transport.hpp"

namespace bench {

/// MPI_Send and MPI_Recv, with the queue's number as the tag. A sender serves several receivers in turn. How much is in
/// flight is MPI's affair. It always spins.
class openmpi {
 public:
  class sender {
   public:
    sender(board& b, const place& at) : at_(at), buffer_(b.plan().words()) {}
    template <class Write>
    void send(std::size_t words, Write write) {
      write(buffer_.data());
      MPI_Send(buffer_.data(), static_cast<int>(words), MPI_UINT64_T, static_cast<int>(at_.first_other + next_),
               static_cast<int>(at_.queue), MPI_COMM_WORLD);
      if (++next_ == at_.others) next_ = 0;
    }

   private:
    place at_;
    std::size_t next_ = 0;
    std::vector<std::uint64_t> buffer_;
  };

  class receiver {
   public:
    receiver(board& b, const place& at)
        : source_(at.others == 1 ? static_cast<int>(at.first_other) : MPI_ANY_SOURCE),
          tag_(static_cast<int>(at.queue)),
          buffer_(b.plan().words()) {}
    template <class Read>
    void receive(std::size_t words, Read read) {
      // A message that is too long is an error, which ends the program; a short one does not add up.
      MPI_Recv(buffer_.data(), static_cast<int>(words), MPI_UINT64_T, source_, tag_, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      read(buffer_.data());
    }

   private:
    int source_;
    int tag_;
    std::vector<std::uint64_t> buffer_;
  };
};

}  // namespace bench
