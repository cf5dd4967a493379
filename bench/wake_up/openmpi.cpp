// SPDX-License-Identifier: BSL-1.0
#include "transports/openmpi.hpp"

#include "wake_up/question.hpp"

int main(int argc, char** argv) {
  return bench::run_mpi(argc, argv, {bench::wake_up::kQuestion, "openmpi", bench::wake_up::member<bench::openmpi>});
}
