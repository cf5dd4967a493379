// SPDX-License-Identifier: BSL-1.0
#include "transports/weir.hpp"

#include "stream/question.hpp"

int main(int argc, char** argv) {
  return bench::run_weir(argc, argv,
                         {bench::streaming::kQuestion, "weir_view", bench::streaming::member<bench::weir_viewed>,
                          bench::host_of<bench::weir_viewed>});
}
