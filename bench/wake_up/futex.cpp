// SPDX-License-Identifier: BSL-1.0
#include "transports/futex.hpp"

#include "wake_up/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv, {bench::wake_up::kQuestion, "futex", bench::wake_up::member<bench::futex>});
}
