// SPDX-License-Identifier: BSL-1.0
#include "transports/openmpi.hpp"

#include "oversubscribed/question.hpp"

int main(int argc, char** argv) {
  return bench::run_mpi(argc, argv,
                        {bench::oversubscribed::kQuestion, "openmpi", bench::oversubscribed::member<bench::openmpi>});
}
