// SPDX-License-Identifier: BSL-1.0
#include "transports/weir.hpp"

#include "paced/question.hpp"

int main(int argc, char** argv) {
  return bench::run_weir(
      argc, argv,
      {bench::paced::kQuestion, "weir", bench::paced::member<bench::weir_number>, bench::host_of<bench::weir_number>});
}
