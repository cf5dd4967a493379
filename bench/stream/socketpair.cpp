// SPDX-License-Identifier: BSL-1.0
#include "transports/socketpair.hpp"

#include "stream/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv,
                           {bench::streaming::kQuestion, "socketpair", bench::streaming::member<bench::socketpair>,
                            bench::host_of<bench::socketpair>});
}
