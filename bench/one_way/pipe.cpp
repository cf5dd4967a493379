// SPDX-License-Identifier: BSL-1.0
#include "transports/pipe.hpp"

#include "one_way/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(
      argc, argv,
      {bench::one_way::kQuestion, "pipe", bench::one_way::member<bench::pipe>, bench::host_of<bench::pipe>});
}
