// SPDX-License-Identifier: BSL-1.0
#include "transports/weir.hpp"

#include "hand_over/question.hpp"

int main(int argc, char** argv) {
  return bench::run_weir(argc, argv,
                         {bench::hand_over::kQuestion, "weir_loan", bench::hand_over::member<bench::weir_loaned>,
                          bench::host_of<bench::weir_loaned>});
}
