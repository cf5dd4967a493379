// SPDX-License-Identifier: BSL-1.0
#include "transports/socketpair.hpp"

#include "many/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv,
                           {bench::many::kQuestion, "socketpair", bench::many::member<bench::socketpair>,
                            bench::host_of<bench::socketpair>});
}
