// SPDX-License-Identifier: BSL-1.0
#include "transports/futex.hpp"

#include "call/question.hpp"

namespace {

void member(bench::board& b, std::size_t rank) {
  using bench::futex;
  const std::size_t other = 1 - rank;
  futex::sender out(b, {.queue = rank, .rank = rank, .first_other = other});
  futex::receiver in(b, {.queue = other, .rank = rank, .first_other = other});
  const auto send = [&](std::uint64_t number) { out.send(1, [&](std::uint64_t* word) { *word = number; }); };
  const auto receive = [&] {
    std::uint64_t number = 0;
    in.receive(1, [&](const std::uint64_t* word) { number = *word; });
    return number;
  };
  const auto ask = [&](std::uint64_t number) {
    send(number);
    return receive();
  };
  const auto caller = [&] {
    bench::call::measure(b, ask);
    send(bench::kLast);
  };
  const auto called = [&] {
    for (std::uint64_t number = 0; (number = receive()) != bench::kLast;) send(number);
  };
  bench::together<futex>(b, rank, std::tie(out, in), [&] { rank == 0 ? caller() : called(); });
}

}  // namespace

int main(int argc, char** argv) { return bench::run_forked(argc, argv, {bench::call::kQuestion, "futex", member}); }
