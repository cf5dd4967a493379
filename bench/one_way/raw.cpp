// SPDX-License-Identifier: BSL-1.0
#include "transports/raw_line.hpp"

#include "one_way/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv, {bench::one_way::kQuestion, "raw", bench::one_way::member<bench::raw_line>});
}
