// SPDX-License-Identifier: BSL-1.0
#include "transports/iceoryx.hpp"

#include "oversubscribed/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv,
                           {bench::oversubscribed::kQuestion, "iceoryx", bench::oversubscribed::member<bench::iceoryx>,
                            bench::host_of<bench::iceoryx>});
}
