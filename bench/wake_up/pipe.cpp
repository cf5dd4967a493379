// SPDX-License-Identifier: BSL-1.0
#include "transports/pipe.hpp"

#include "wake_up/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(
      argc, argv,
      {bench::wake_up::kQuestion, "pipe", bench::wake_up::member<bench::pipe>, bench::host_of<bench::pipe>});
}
