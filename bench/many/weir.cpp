// SPDX-License-Identifier: BSL-1.0
#include "transports/weir.hpp"

#include "many/question.hpp"

int main(int argc, char** argv) {
  return bench::run_weir(
      argc, argv,
      {bench::many::kQuestion, "weir", bench::many::member<bench::weir_number>, bench::host_of<bench::weir_number>});
}
