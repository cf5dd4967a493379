// SPDX-License-Identifier: BSL-1.0
#include "transports/iceoryx.hpp"

#include "paced/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(
      argc, argv,
      {bench::paced::kQuestion, "iceoryx", bench::paced::member<bench::iceoryx>, bench::host_of<bench::iceoryx>});
}
