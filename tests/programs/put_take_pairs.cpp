// SPDX-License-Identifier: BSL-1.0
// put_take_pairs N: N pairs of put and take in one process, of a small item and of one in a block.
#include <cstdlib>
#include <vector>

#include "weir/channel.hpp"

int main(int argc, char** argv) {
  const long pairs = argc > 1 ? std::atol(argv[1]) : 1;
  weir::channel<long> small(8);
  weir::channel<std::vector<long>> large(8);
  std::vector<long> item(1000, 1);
  for (long i = 0; i < pairs; ++i) {
    small.put(i);
    if (small.take() != i) return 1;
    large.put(item);
    large.take_into(item);
  }
  return 0;
}
