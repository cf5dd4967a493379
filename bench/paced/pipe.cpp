// SPDX-License-Identifier: BSL-1.0
#include "transports/pipe.hpp"

#include "paced/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(
      argc, argv, {bench::paced::kQuestion, "pipe", bench::paced::member<bench::pipe>, bench::host_of<bench::pipe>});
}
