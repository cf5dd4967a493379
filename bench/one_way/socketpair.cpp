// SPDX-License-Identifier: BSL-1.0
#include "transports/socketpair.hpp"

#include "one_way/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv,
                           {bench::one_way::kQuestion, "socketpair", bench::one_way::member<bench::socketpair>,
                            bench::host_of<bench::socketpair>});
}
