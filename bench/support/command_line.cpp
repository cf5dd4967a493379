// SPDX-License-Identifier: BSL-1.0
#include <sched.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "support/contender.hpp"

namespace bench {
namespace {

std::array<int, 2> first_two_cpus() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  ::sched_getaffinity(0, sizeof allowed, &allowed);
  std::vector<int> found;
  for (int cpu = 0; cpu < CPU_SETSIZE && found.size() < 2; ++cpu) {
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &allowed)) found.push_back(cpu);
  }
  return {found.front(), found.back()};
}

template <std::size_t N>
void copy_into(std::array<char, N>& to, const std::string& text) {
  text.copy(to.data(), N - 1);
}

}  // namespace

command_line parse(int argc, char** argv, const contender& who) {
  command_line result;
  plan& p = result.plan;
  p.cpus = first_two_cpus();
  std::vector<int> cpus;
  double pause_us = 0;
  std::string waiting = "spin", way;

  CLI::App app(std::string(who.question.name) + " of " + who.name + ": prints one line of JSON");
  app.add_option("--bytes", p.bytes, "size of an item, a multiple of 8");
  app.add_option("--seconds", p.seconds, "how long the timed part takes");
  app.add_option("--waiting", waiting)->check(CLI::IsMember({"spin", "sleep"}));
  app.add_option("--putters", p.putters)->check(CLI::Range(1, 4));
  app.add_option("--takers", p.takers)->check(CLI::Range(1, 4));
  app.add_option("--pairs", p.pairs)->check(CLI::Range(1, 4));
  app.add_option("--ranks", p.ranks, "processes of a team")->check(CLI::Range(1, 8));
  app.add_option("--order", p.order, "rows and columns of a grid or matrix")->check(CLI::Range(16, 20000));
  app.add_option("--pause-us", pause_us, "before each item, where the question has pauses");
  app.add_option("--capacity", p.items_in_queue, "items in a queue; otherwise 256 or 4 MiB, but at least 2");
  app.add_option("--way", way, "a variant of the question");
  app.add_option("--cpus", cpus, "the two CPUs to run on; the first two otherwise")->expected(2)->delimiter(',');
  app.add_flag("--buckets", p.buckets, "print the histogram too");
  app.add_option("--member", result.member)->group("");
  try {
    app.parse(argc, argv);
    if (p.bytes == 0 || p.bytes % sizeof(std::uint64_t) != 0) throw CLI::ValidationError("--bytes", "a multiple of 8");
    if (way.size() >= p.way.size()) throw CLI::ValidationError("--way", "too long");
  } catch (const CLI::ParseError& error) {
    constexpr int kUsage = 2;
    std::exit(app.exit(error) == 0 ? 0 : kUsage);
  }
  p.spin = waiting == "spin";
  p.pause_ns = static_cast<std::int64_t>(pause_us * 1e3);
  if (!cpus.empty()) p.cpus = {cpus.front(), cpus.back()};
  copy_into(p.way, way);
  copy_into(p.name, "weir-bench-" + std::to_string(::getpid()));
  return result;
}

}  // namespace bench
