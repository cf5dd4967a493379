// SPDX-License-Identifier: BSL-1.0
#include "transports/pipe.hpp"

#include "many/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(
      argc, argv, {bench::many::kQuestion, "pipe", bench::many::member<bench::pipe>, bench::host_of<bench::pipe>});
}
