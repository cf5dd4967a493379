// SPDX-License-Identifier: BSL-1.0
#include "transports/weir.hpp"

#include "one_way/question.hpp"

int main(int argc, char** argv) {
  return bench::run_weir(argc, argv,
                         {bench::one_way::kQuestion, "weir_loan", bench::one_way::member<bench::weir_loaned>,
                          bench::host_of<bench::weir_loaned>});
}
