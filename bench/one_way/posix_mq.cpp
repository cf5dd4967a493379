// SPDX-License-Identifier: BSL-1.0
#include "transports/posix_mq.hpp"

#include "one_way/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv,
                           {bench::one_way::kQuestion, "posix_mq", bench::one_way::member<bench::posix_mq>,
                            bench::host_of<bench::posix_mq>});
}
