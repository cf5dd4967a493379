// SPDX-License-Identifier: BSL-1.0
#include "transports/pipe.hpp"

#include "oversubscribed/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv,
                           {bench::oversubscribed::kQuestion, "pipe", bench::oversubscribed::member<bench::pipe>,
                            bench::host_of<bench::pipe>});
}
