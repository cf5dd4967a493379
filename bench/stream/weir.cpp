// SPDX-License-Identifier: BSL-1.0
#include "transports/weir.hpp"

#include "stream/question.hpp"

namespace {

void member(bench::board& b, std::size_t rank) {
  using namespace bench;
  weir_channels::are_numbers(b.plan()) ? streaming::member<weir_number>(b, rank)
                                       : streaming::member<weir_copied>(b, rank);
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_weir(argc, argv,
                         {bench::streaming::kQuestion, "weir", member, bench::host_of<bench::weir_channels>});
}
