// SPDX-License-Identifier: BSL-1.0
#include "transports/openmpi.hpp"

#include "stream/question.hpp"

int main(int argc, char** argv) {
  return bench::run_mpi(argc, argv, {bench::streaming::kQuestion, "openmpi", bench::streaming::member<bench::openmpi>});
}
