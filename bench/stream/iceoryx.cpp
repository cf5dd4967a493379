// SPDX-License-Identifier: BSL-1.0
#include "transports/iceoryx.hpp"

#include "stream/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv,
                           {bench::streaming::kQuestion, "iceoryx", bench::streaming::member<bench::iceoryx>,
                            bench::host_of<bench::iceoryx>});
}
