// SPDX-License-Identifier: BSL-1.0
#include "transports/weir.hpp"

#include "oversubscribed/question.hpp"

int main(int argc, char** argv) {
  return bench::run_weir(argc, argv,
                         {bench::oversubscribed::kQuestion, "weir", bench::oversubscribed::member<bench::weir_number>,
                          bench::host_of<bench::weir_number>});
}
