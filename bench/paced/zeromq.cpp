// SPDX-License-Identifier: BSL-1.0
#include "transports/zeromq.hpp"

#include "paced/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv, {bench::paced::kQuestion, "zeromq", bench::paced::member<bench::zeromq>});
}
