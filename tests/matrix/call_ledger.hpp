// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "ledger.hpp"

/// What every process of a session did, in a file that all of them map: workers are programs of their own.
namespace weir::tests {

inline constexpr int kMostCallers = 10;
inline constexpr int kCallsEach = 3000;
enum class call_end : std::uint8_t { open = 0, returned = 1, failed = 2 };

struct call_ledger {
  std::atomic<int> over;                 // callers are to come to their end
  std::atomic<int> wrong;                // answers that were not what was asked for
  std::atomic<std::uint32_t> another;    // a worker that takes the victim's place; 0: none
  std::atomic<std::int64_t> died_ns;     // 0: the victim lives
  std::atomic<std::int64_t> longest_ns;  // that a caller was held up after that
  std::array<std::atomic<int>, kMostCallers> done;
  std::array<std::atomic<std::uint8_t>, static_cast<std::size_t>(kMostCallers* kCallsEach)> run;
  std::array<std::atomic<call_end>, static_cast<std::size_t>(kMostCallers* kCallsEach)> ended;
};

/// Makes an ordinary file for one, all of it 0, of a name that no file has (one that a killed test left behind counts
/// calls, too), and says that name.
inline std::string make_ledger(std::string path_and_xxxxxx) {
  const int fd = ::mkstemp(path_and_xxxxxx.data());
  const bool made = fd >= 0 && ::ftruncate(fd, sizeof(call_ledger)) == 0;
  if (fd >= 0) ::close(fd);
  if (!made) throw std::runtime_error("cannot make " + path_and_xxxxxx);
  return path_and_xxxxxx;
}

inline call_ledger& map_ledger(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) throw std::runtime_error("cannot open " + path);
  void* const at = ::mmap(nullptr, sizeof(call_ledger), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (at == MAP_FAILED) throw std::runtime_error("cannot map " + path);
  return *static_cast<call_ledger*>(at);
}

}  // namespace weir::tests
