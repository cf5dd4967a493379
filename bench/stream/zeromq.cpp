// SPDX-License-Identifier: BSL-1.0
#include "transports/zeromq.hpp"

#include "stream/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv,
                           {bench::streaming::kQuestion, "zeromq", bench::streaming::member<bench::zeromq>});
}
