// SPDX-License-Identifier: BSL-1.0
#include "transports/iceoryx.hpp"

#include "hand_over/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv,
                           {bench::hand_over::kQuestion, "iceoryx", bench::hand_over::member<bench::iceoryx>,
                            bench::host_of<bench::iceoryx>});
}
