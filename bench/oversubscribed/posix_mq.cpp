// SPDX-License-Identifier: BSL-1.0
#include "transports/posix_mq.hpp"

#include "oversubscribed/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv,
                           {bench::oversubscribed::kQuestion, "posix_mq",
                            bench::oversubscribed::member<bench::posix_mq>, bench::host_of<bench::posix_mq>});
}
