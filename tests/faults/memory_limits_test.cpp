// SPDX-License-Identifier: BSL-1.0
// No more memory: operator new fails at its n-th call, or the address space ends. It is an error, never the end of the
// program, and the others go on.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdlib>
#include <fstream>
#include <new>
#include <string>

#include "faults/scenario.hpp"
#include "support/names.hpp"

namespace {

constexpr const char* kVariable = "WEIR_TEST_ALLOCATIONS";

/// Allocations that succeed before the next one fails; then they all do again.
std::atomic<long> g_until_failure = [] {
  const char* text = std::getenv(kVariable);
  return text != nullptr ? std::atol(text) : LONG_MAX;
}();

void* allocate(std::size_t bytes) {
  if (g_until_failure.load(std::memory_order_relaxed) != LONG_MAX && g_until_failure.fetch_sub(1) == 0) {
    throw std::bad_alloc();
  }
  void* const made = std::malloc(bytes == 0 ? 1 : bytes);
  if (made == nullptr) throw std::bad_alloc();
  return made;
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate(bytes); }
void operator delete(void* at) noexcept { std::free(at); }
void operator delete(void* at, std::size_t /*bytes*/) noexcept { std::free(at); }

namespace weir::tests {
namespace {

class MemoryLimits : public NamedSegments {
 protected:
  static void fail_after(int count) { g_until_failure = count; }
  static void fail_no_more() { g_until_failure = LONG_MAX; }
};

TEST_F(MemoryLimits, OfAllocationsAreAClearErrorOfAChannel) {
  EXPECT_GE(try_each_limit([&] { use_channels(name()); }, fail_after, fail_no_more), 20);
}

TEST_F(MemoryLimits, OfAllocationsAreAClearErrorOfASession) {
  EXPECT_GE(try_each_limit([] { use_session(); }, fail_after, fail_no_more, 3), 20);
}

TEST_F(MemoryLimits, OfAllocationsInAWorkerEndNoWaitWithoutAnAnswer) {
  const auto limit = [](int count) { ::setenv(kVariable, std::to_string(count).c_str(), 1); };
  EXPECT_GE(try_each_limit([] { use_session(); }, limit, [] { ::unsetenv(kVariable); }, 3), 10);
}

/// Bytes of address space that this process takes.
std::size_t address_space() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

void set_limit(__rlimit_resource what, rlim_t bytes) {
  rlimit limit{};
  ::getrlimit(what, &limit);
  limit.rlim_cur = bytes;
  ::setrlimit(what, &limit);
}

TEST_F(MemoryLimits, OfAddressSpaceAreAClearErrorOfAChannel) {
  const auto limit = [](int mebibytes) {
    set_limit(RLIMIT_AS, address_space() + (static_cast<rlim_t>(mebibytes) << 20U));
  };
  EXPECT_GE(try_each_limit([&] { use_channels(name()); }, limit, [] { set_limit(RLIMIT_AS, RLIM_INFINITY); }), 1);
}

TEST_F(MemoryLimits, OfAddressSpaceAreAClearErrorOfASession) {
  const auto limit = [](int mebibytes) {
    set_limit(RLIMIT_AS, address_space() + (static_cast<rlim_t>(mebibytes) << 20U));
  };
  EXPECT_GE(try_each_limit([] { use_session(); }, limit, [] { set_limit(RLIMIT_AS, RLIM_INFINITY); }, 4), 2);
}

TEST_F(MemoryLimits, OfDataAreAClearErrorOfASession) {
  const auto limit = [](int mebibytes) { set_limit(RLIMIT_DATA, static_cast<rlim_t>(mebibytes) << 20U); };
  EXPECT_GE(try_each_limit([] { use_session(); }, limit, [] { set_limit(RLIMIT_DATA, RLIM_INFINITY); }, 4), 1);
}

}  // namespace
}  // namespace weir::tests
