// SPDX-License-Identifier: BSL-1.0
#include "transports/pipe.hpp"

#include "stream/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(
      argc, argv,
      {bench::streaming::kQuestion, "pipe", bench::streaming::member<bench::pipe>, bench::host_of<bench::pipe>});
}
