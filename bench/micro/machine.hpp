// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <benchmark/benchmark.h>
#include <sched.h>

#include "weir/weir.hpp"

/// What the benchmarks share: the session, the CPUs, the counters.
namespace bench {

/// The program's session, which main() makes.
[[nodiscard]] weir::session& session();
void use(weir::session& of_main) noexcept;

/// The first two CPUs that the program may use. Equal if there is one only.
struct cpu_pair {
  int here;   // for the process that measures
  int there;  // for its peer
};
[[nodiscard]] cpu_pair cpus();

/// A worker on a CPU of its own, the other one; the same for all measurements.
[[nodiscard]] const weir::worker& peer();

/// Keeps the calling thread on one CPU while it lives.
class pinned_thread {
 public:
  explicit pinned_thread(int cpu);
  pinned_thread(const pinned_thread&) = delete;
  pinned_thread& operator=(const pinned_thread&) = delete;
  ~pinned_thread();

 private:
  cpu_set_t before_{};
};

/// Puts the machine, the kernel and the compiler into the head of the report.
void describe_machine();

}  // namespace bench
