// SPDX-License-Identifier: BSL-1.0
#include "transports/posix_mq.hpp"

#include "wake_up/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv,
                           {bench::wake_up::kQuestion, "posix_mq", bench::wake_up::member<bench::posix_mq>,
                            bench::host_of<bench::posix_mq>});
}
