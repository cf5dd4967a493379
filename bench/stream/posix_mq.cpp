// SPDX-License-Identifier: BSL-1.0
#include "transports/posix_mq.hpp"

#include "stream/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv,
                           {bench::streaming::kQuestion, "posix_mq", bench::streaming::member<bench::posix_mq>,
                            bench::host_of<bench::posix_mq>});
}
