// SPDX-License-Identifier: BSL-1.0
#include "transports/openmpi.hpp"

#include "many/question.hpp"

int main(int argc, char** argv) {
  return bench::run_mpi(argc, argv, {bench::many::kQuestion, "openmpi", bench::many::member<bench::openmpi>});
}
