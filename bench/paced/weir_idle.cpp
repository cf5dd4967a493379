// SPDX-License-Identifier: BSL-1.0
//
// Question: what do eight workers cost that have nothing to do?
// Method: they are started, and left alone for a while; then for --seconds the CPU time of them and of the control process
// is watched from outside. No peer has workers.
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <ctime>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/contender.hpp"
#include "weir/weir.hpp"

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kWorkers = 8;

std::int32_t process() { return ::getpid(); }

clockid_t clock_of(const weir::worker& worker) {
  clockid_t clock = 0;
  if (::clock_getcpuclockid(worker.fetch(process), &clock) != 0) throw std::runtime_error("a worker has gone");
  return clock;
}

void member(bench::board& b, std::size_t rank) {
  if (rank != 0) return;
  std::vector<clockid_t> clocks{CLOCK_PROCESS_CPUTIME_ID};
  for (std::uint32_t i = 0; i < kWorkers; ++i) clocks.push_back(clock_of(weir::worker(2 + i)));
  const auto used = [&] {
    bench::nanoseconds sum{};
    for (const clockid_t each : clocks) sum += bench::cpu_time(each);
    return sum;
  };
  std::this_thread::sleep_for(500ms);  // until they have gone to sleep
  bench::member_report& report = b.report(rank);
  const bench::nanoseconds before = used();
  report.begin = bench::now();
  std::this_thread::sleep_for(std::chrono::duration<double>(b.plan().seconds));
  report.end = bench::now();
  report.cpu = used() - before;
  report.items = kWorkers;
}

constexpr bench::question kQuestion{"idle", [](const bench::plan&) -> std::size_t { return kWorkers + 1; },
                                    [](const bench::plan&) -> std::size_t { return 0; }};

}  // namespace

int main(int argc, char** argv) { return bench::run_weir(argc, argv, {kQuestion, "weir_idle", member}); }
