// SPDX-License-Identifier: BSL-1.0
// No more threads: this program's own pthread_create() fails from the n-th call on, here or in the workers.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <string>

#include "faults/scenario.hpp"

namespace {

constexpr const char* kVariable = "WEIR_TEST_THREADS";

std::atomic<int> g_threads_left = [] {
  const char* text = std::getenv(kVariable);
  return text != nullptr ? std::atoi(text) : INT_MAX;
}();

}  // namespace

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                              void* argument) {
  static const auto real = reinterpret_cast<decltype(&pthread_create)>(::dlsym(RTLD_NEXT, "pthread_create"));
  if (g_threads_left.fetch_sub(1) <= 0) {
    g_threads_left.store(0);
    return EAGAIN;
  }
  return real(thread, attributes, run, argument);
}

namespace weir::tests {
namespace {

TEST(NoMoreThreads, AreAClearErrorOfASession) {
  const auto limit = [](int count) { g_threads_left = count; };
  // What follows a future waits for a thread: see below.
  EXPECT_GE(try_each_limit([] { use_session(continuations::left_out); }, limit, [&] { limit(INT_MAX); }), 3);
}

/// The thread that there still is has hardly begun when all that it looks at goes.
TEST(NoMoreThreads, ForTheSecondOfASessionEndTheFirst) {
  child limited([] {
    for (int i = 0; i < 300; ++i) {
      g_threads_left = 1;
      try {
        const weir::session session;
        return 1;
      } catch (const no_space&) {
        continue;
      }
    }
    g_threads_left = INT_MAX;
    use_session();
    return shm::list_segments('@' + shm::realm() + '.').empty() ? 0 : 2;
  });
  EXPECT_TRUE(comes_true([&] { return limited.has_ended(); }));
  if (limited.has_ended()) {
    EXPECT_EQ(limited.wait(), 0);
  }
}

TEST(NoMoreThreads, InAWorkerAreAClearErrorOfItsStart) {
  const auto limit = [](int count) { ::setenv(kVariable, std::to_string(count).c_str(), 1); };
  EXPECT_GE(try_each_limit([] { use_session(); }, limit, [] { ::unsetenv(kVariable); }), 1);
}

/// What follows a future waits until there is a thread for it.
TEST(NoMoreThreads, OnlyDelayWhatFollowsAFuture) {
  child limited([] {
    weir::session session;
    const auto w = session.add_workers(1).front();
    const auto first = w.call([] { return 1; });
    if (first.then([](int one) { return one; }).get() != 1) return 1;  // there is a spare thread now
    channel<int> gate(0);
    const auto waits = first.then([&](int) { return gate.take(); });  // and now there is none
    while (!gate.put_for(0, std::chrono::milliseconds(0)) && !waits.is_ready()) {
    }
    g_threads_left = 0;
    const auto second = first.then([](int one) { return one + 1; });
    const auto third = first.then([](int one) { return one + 2; });
    g_threads_left = INT_MAX;
    const bool all_ran = second.get() == 2 && third.get() == 3;
    return waits.get() == 0 && all_ran ? 0 : 2;  // and nobody uses the gate any more
  });
  EXPECT_TRUE(comes_true([&] { return limited.has_ended(); }));
  if (limited.has_ended()) {
    EXPECT_EQ(limited.wait(), 0);
  }
}

}  // namespace
}  // namespace weir::tests
