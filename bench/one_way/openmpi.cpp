// SPDX-License-Identifier: BSL-1.0
#include "transports/openmpi.hpp"

#include "one_way/question.hpp"

int main(int argc, char** argv) {
  return bench::run_mpi(argc, argv, {bench::one_way::kQuestion, "openmpi", bench::one_way::member<bench::openmpi>});
}
