// SPDX-License-Identifier: BSL-1.0
// No more memory: operator new fails at its n-th call, or the address space ends. It is an error, never the end of the
// program, and the others go on.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <cstdlib>
#include <fstream>
#include <new>
#include <string>
#include <vector>

#include "faults/scenario.hpp"
#include "support/names.hpp"

namespace {

/// Allocations that succeed before the next one fails; then they all do again.
std::atomic<long> g_until_failure{LONG_MAX};

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
  static bool none_has_failed() { return g_until_failure.load() > 0; }
};

TEST_F(MemoryLimits, OfAllocationsAreAClearErrorOfAChannel) {
  EXPECT_GE(try_each_limit([&] { use_channels(name()); }, fail_after, fail_no_more, 1, none_has_failed), 50);
}

TEST_F(MemoryLimits, OfAllocationsAreAClearErrorOfASession) {
  const auto start_and_end = [] {
    weir::session session;
    const auto w = session.add_workers(1).front();
    expect_it(w.fetch([](int i) { return i + 1; }, 1) == 2, "an answer is wrong");
  };
  EXPECT_GE(try_each_limit(start_and_end, fail_after, fail_no_more, 5, none_has_failed), 20);
}

/// The caller hears of it; if it cannot be told, the worker ends, which it also hears of.
TEST_F(MemoryLimits, OfAllocationsInAWorkerLeaveNoCallWithoutAnAnswer) {
  weir::session session;
  const auto sum = [](const std::vector<int>& v) { return std::vector<int>(v.rbegin(), v.rend()); };
  auto w = session.add_workers(1).front();
  int failed = 0;
  for (int count = 0; count < 12; ++count) {
    for (const std::size_t length : {kSmallItem, kLargeItem, 100 * kLargeItem}) {
      try {
        w.fetch([](int n) { g_until_failure = n; }, count);
        EXPECT_EQ(w.fetch(sum, counted(length)).front(), static_cast<int>(length));
      } catch (const worker_died&) {
        ++failed;
        w = session.add_workers(1).front();
      } catch (const remote_error& e) {
        EXPECT_EQ(e.type(), "std::bad_alloc");
        ++failed;
      }
    }
  }
  EXPECT_GE(failed, 3);
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

constexpr int kMostDoublings = 16;

TEST_F(MemoryLimits, OfAddressSpaceAreAClearErrorOfAChannel) {
  const auto limit = [](int doublings) {
    set_limit(RLIMIT_AS, address_space() + (rlim_t{1} << (20 + std::min(doublings, kMostDoublings))));
  };
  EXPECT_GE(try_each_limit([&] { use_channels(name()); }, limit, [] { set_limit(RLIMIT_AS, RLIM_INFINITY); }), 2);
}

TEST_F(MemoryLimits, OfAddressSpaceAreAClearErrorOfASession) {
  const auto limit = [](int doublings) {
    set_limit(RLIMIT_AS, address_space() + (rlim_t{1} << (20 + std::min(doublings, kMostDoublings))));
  };
  EXPECT_GE(try_each_limit([] { use_session(); }, limit, [] { set_limit(RLIMIT_AS, RLIM_INFINITY); }), 2);
}

}  // namespace
}  // namespace weir::tests
