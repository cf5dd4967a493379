// SPDX-License-Identifier: BSL-1.0
#include "transports/posix_mq.hpp"

#include "many/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(
      argc, argv,
      {bench::many::kQuestion, "posix_mq", bench::many::member<bench::posix_mq>, bench::host_of<bench::posix_mq>});
}
