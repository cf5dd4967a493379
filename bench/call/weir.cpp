// SPDX-License-Identifier: BSL-1.0
#include "weir/weir.hpp"

#include "call/question.hpp"

namespace {

std::uint64_t same(std::uint64_t number) { return number; }

// The other process does nothing but serve calls.
void member(bench::board& b, std::size_t rank) {
  if (rank != 0) return;
  const weir::worker other(2);
  bench::call::measure(b, [&](std::uint64_t number) { return other.fetch(same, number); });
}

}  // namespace

int main(int argc, char** argv) { return bench::run_weir(argc, argv, {bench::call::kQuestion, "weir", member}); }
