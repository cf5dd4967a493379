// SPDX-License-Identifier: BSL-1.0
#include "transports/zeromq.hpp"

#include "many/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv, {bench::many::kQuestion, "zeromq", bench::many::member<bench::zeromq>});
}
