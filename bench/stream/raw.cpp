// SPDX-License-Identifier: BSL-1.0
#include "transports/raw_ring.hpp"

#include "stream/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv, {bench::streaming::kQuestion, "raw", bench::streaming::member<bench::raw_ring>});
}
