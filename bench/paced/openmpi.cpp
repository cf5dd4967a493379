// SPDX-License-Identifier: BSL-1.0
#include "transports/openmpi.hpp"

#include "paced/question.hpp"

int main(int argc, char** argv) {
  return bench::run_mpi(argc, argv, {bench::paced::kQuestion, "openmpi", bench::paced::member<bench::openmpi>});
}
