// SPDX-License-Identifier: BSL-1.0
#include "transports/iceoryx.hpp"

#include "one_way/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(
      argc, argv,
      {bench::one_way::kQuestion, "iceoryx", bench::one_way::member<bench::iceoryx>, bench::host_of<bench::iceoryx>});
}
