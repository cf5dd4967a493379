// SPDX-License-Identifier: BSL-1.0
#include "transports/weir.hpp"

#include "stream/question.hpp"

int main(int argc, char** argv) {
  return bench::run_weir(argc, argv,
                         {bench::streaming::kQuestion, "weir_loan", bench::streaming::member<bench::weir_loaned>,
                          bench::host_of<bench::weir_loaned>});
}
