// SPDX-License-Identifier: BSL-1.0
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <vector>

#include "micro/machine.hpp"
#include "weir/weir.hpp"

int main(int argc, char** argv) {
  weir::serve_if_worker();
  // Medians of several runs, unless the command line says otherwise: later options win.
  std::array defaults = {std::string("--benchmark_repetitions=7"), std::string("--benchmark_min_time=0.1"),
                         std::string("--benchmark_report_aggregates_only=true")};
  std::vector<char*> arguments(argv, argv + argc);
  for (std::string& each : defaults) arguments.insert(arguments.begin() + 1, each.data());
  int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  benchmark::Initialize(&count, arguments.data());
  constexpr int kUsage = 2;
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return kUsage;

  bench::describe_machine();
  weir::session session;  // before any thread is pinned: its own threads may run anywhere
  bench::use(session);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
