// SPDX-License-Identifier: BSL-1.0
#include "transports/zeromq.hpp"

#include "oversubscribed/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv,
                           {bench::oversubscribed::kQuestion, "zeromq", bench::oversubscribed::member<bench::zeromq>});
}
