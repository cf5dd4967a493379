// SPDX-License-Identifier: BSL-1.0
#include "transports/socketpair.hpp"

#include "oversubscribed/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv,
                           {bench::oversubscribed::kQuestion, "socketpair",
                            bench::oversubscribed::member<bench::socketpair>, bench::host_of<bench::socketpair>});
}
