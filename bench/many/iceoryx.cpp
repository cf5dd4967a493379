// SPDX-License-Identifier: BSL-1.0
#include "transports/iceoryx.hpp"

#include "many/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(
      argc, argv,
      {bench::many::kQuestion, "iceoryx", bench::many::member<bench::iceoryx>, bench::host_of<bench::iceoryx>});
}
