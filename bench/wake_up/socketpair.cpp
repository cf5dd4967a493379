// SPDX-License-Identifier: BSL-1.0
#include "transports/socketpair.hpp"

#include "wake_up/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv,
                           {bench::wake_up::kQuestion, "socketpair", bench::wake_up::member<bench::socketpair>,
                            bench::host_of<bench::socketpair>});
}
