// SPDX-License-Identifier: BSL-1.0
#include "transports/iceoryx.hpp"

#include "wake_up/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(
      argc, argv,
      {bench::wake_up::kQuestion, "iceoryx", bench::wake_up::member<bench::iceoryx>, bench::host_of<bench::iceoryx>});
}
