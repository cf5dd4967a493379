// SPDX-License-Identifier: BSL-1.0
#include "transports/weir.hpp"

#include "one_way/question.hpp"

namespace {

void member(bench::board& b, std::size_t rank) {
  using namespace bench;
  weir_channels::are_numbers(b.plan()) ? one_way::member<weir_number>(b, rank) : one_way::member<weir_copied>(b, rank);
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_weir(argc, argv, {bench::one_way::kQuestion, "weir", member, bench::host_of<bench::weir_channels>});
}
