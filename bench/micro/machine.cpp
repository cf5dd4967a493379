// SPDX-License-Identifier: BSL-1.0
#include "micro/machine.hpp"

#include <sys/utsname.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace bench {
namespace {

weir::session* the_session = nullptr;

cpu_set_t only(int cpu) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  return set;
}

/// 0 is the calling thread.
void set_cpus(pid_t thread, const cpu_set_t& set) {
  if (sched_setaffinity(thread, sizeof set, &set) != 0 && errno != ESRCH) {
    throw std::system_error(errno, std::generic_category(), "sched_setaffinity");
  }
}

cpu_set_t allowed_cpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) {
    throw std::system_error(errno, std::generic_category(), "sched_getaffinity");
  }
  return set;
}

cpu_pair first_two() {
  const cpu_set_t allowed = allowed_cpus();
  std::vector<int> found;
  for (int cpu = 0; cpu < CPU_SETSIZE && found.size() < 2; ++cpu) {
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &allowed)) found.push_back(cpu);
  }
  return {found.front(), found.back()};
}

// All threads of this process; those that it starts later too.
void pin_process(int cpu) {
  const cpu_set_t set = only(cpu);
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    set_cpus(std::stoi(thread.path().filename().string()), set);
  }
}

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::string compiler() {
#ifdef __clang__
  return __VERSION__;
#else
  return "g++ " __VERSION__;
#endif
}

}  // namespace

weir::session& session() {
  if (the_session == nullptr) throw std::logic_error("main() has made no session");
  return *the_session;
}
void use(weir::session& of_main) noexcept { the_session = &of_main; }

cpu_pair cpus() {
  static const cpu_pair kPair = first_two();
  return kPair;
}

pinned_thread::pinned_thread(int cpu) : before_(allowed_cpus()) { set_cpus(0, only(cpu)); }
pinned_thread::~pinned_thread() { sched_setaffinity(0, sizeof before_, &before_); }

const weir::worker& peer() {
  static const weir::worker kPeer = [] {
    weir::worker worker = session().add_workers(1).front();
    worker.fetch(pin_process, cpus().there);
    return worker;
  }();
  return kPeer;
}

void describe_machine() {
  utsname system{};
  if (uname(&system) == 0) {
    benchmark::AddCustomContext("kernel", std::string(system.sysname) + ' ' + system.release);
    benchmark::AddCustomContext("machine", system.machine);
  }
  benchmark::AddCustomContext("cpu", cpu_model());
  benchmark::AddCustomContext("compiler", compiler());
}

}  // namespace bench
