// SPDX-License-Identifier: BSL-1.0
#include "transports/socketpair.hpp"

#include "paced/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv,
                           {bench::paced::kQuestion, "socketpair", bench::paced::member<bench::socketpair>,
                            bench::host_of<bench::socketpair>});
}
