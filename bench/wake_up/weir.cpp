// SPDX-License-Identifier: BSL-1.0
#include "transports/weir.hpp"

#include "wake_up/question.hpp"

int main(int argc, char** argv) {
  return bench::run_weir(argc, argv,
                         {bench::wake_up::kQuestion, "weir", bench::wake_up::member<bench::weir_number>,
                          bench::host_of<bench::weir_number>});
}
