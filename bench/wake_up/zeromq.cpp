// SPDX-License-Identifier: BSL-1.0
#include "transports/zeromq.hpp"

#include "wake_up/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv, {bench::wake_up::kQuestion, "zeromq", bench::wake_up::member<bench::zeromq>});
}
