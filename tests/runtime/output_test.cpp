// SPDX-License-Identifier: BSL-1.0
// What workers print.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "support/session.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;
using testing::internal::CaptureStderr;
using testing::internal::CaptureStdout;
using testing::internal::GetCapturedStderr;
using testing::internal::GetCapturedStdout;

class Output : public SessionTest {};

TEST_F(Output, OfALineComesWithItsPrefix) {
  const auto w = start(1).front();
  CaptureStdout();
  w.fetch([] { std::cout << "x\n"; });
  EXPECT_EQ(GetCapturedStdout(), "      From worker 2:\tx\n");
}

TEST_F(Output, WithoutANewlineIsALineWhenTheCallIsOver) {
  const auto w = start(1).front();
  CaptureStdout();
  w.fetch([] { std::cout << "x"; });
  w.fetch([] { std::cout << "y"; });
  EXPECT_EQ(GetCapturedStdout(), "      From worker 2:\tx\n      From worker 2:\ty\n");
}

TEST_F(Output, OfAMebibyteWithoutANewlineArrivesWhole) {
  const auto w = start(1).front();
  CaptureStdout();
  w.fetch([] { std::cout << std::string(1U << 20U, 'm'); });
  EXPECT_EQ(GetCapturedStdout(), "      From worker 2:\t" + std::string(1U << 20U, 'm') + '\n');
}

TEST_F(Output, OnStderrGoesToStderr) {
  const auto w = start(1).front();
  CaptureStdout();
  CaptureStderr();
  w.fetch([] {
    std::cerr << "bad";
    std::clog << " things\n";
    std::fprintf(stderr, "more");
  });
  EXPECT_EQ(GetCapturedStderr(), "      From worker 2:\tbad things\n      From worker 2:\tmore\n");
  EXPECT_EQ(GetCapturedStdout(), "");
}

TEST_F(Output, ByEveryMeansArrives) {
  const auto w = start(1).front();
  CaptureStdout();
  w.fetch([] {
    std::cout << "one ";
    std::printf("two ");
    std::fflush(stdout);
    static_cast<void>(!::write(STDOUT_FILENO, "three\n\nfour", 11));
  });
  const std::string prefix = "      From worker 2:\t";
  EXPECT_EQ(GetCapturedStdout(), prefix + "one two three\n" + prefix + '\n' + prefix + "four\n");
}

TEST_F(Output, ThatStreamsKeepThemselvesArrives) {
  const auto w = start(1).front();
  CaptureStdout();
  w.fetch([] {
    std::ios::sync_with_stdio(false);
    std::cout << "one\n";
  });
  w.fetch([] { std::cout << "two"; });
  const std::string prefix = "      From worker 2:\t";
  EXPECT_EQ(GetCapturedStdout(), prefix + "one\n" + prefix + "two\n");
}

TEST_F(Output, OfACallIsPrintedBeforeItsResultIsDelivered) {
  const auto ws = start(2);
  for (int i = 0; i < 200; ++i) {
    const auto& w = ws[static_cast<std::size_t>(i % 2)];
    CaptureStdout();
    const int answer = w.fetch(
        [](int x) {
          std::cout << "call " << x;
          if (x % 3 == 0) std::cout << '\n';
          return x;
        },
        i);
    ASSERT_EQ(GetCapturedStdout(),
              "      From worker " + std::to_string(w.id()) + ":\tcall " + std::to_string(answer) + '\n');
  }
}

int say(int x) {
  const std::string line = "call " + std::to_string(x) + '\n';
  static_cast<void>(!::write(x % 2 == 0 ? STDOUT_FILENO : STDERR_FILENO, line.data(), line.size()));
  return x;
}

/// Closes what tells this worker whether both of its pipes are empty. How many descriptors that were.
int close_output_watch() {
  int closed = 0;
  for (int fd = STDERR_FILENO + 1; fd < 256; ++fd) {
    std::array<char, 64> target{};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    if (::readlink(link.c_str(), target.data(), target.size() - 1) <= 0) continue;
    if (std::string_view(target.data()) != "anon_inode:[eventpoll]") continue;
    ::close(fd);
    ++closed;
  }
  return closed;
}

TEST_F(Output, IsPrintedBeforeTheResultAlsoByAWorkerThatHasNoWatch) {
  const auto w = start(1).front();
  ASSERT_EQ(w.fetch(&close_output_watch), 1);
  for (int i = 0; i < 100; ++i) {
    CaptureStdout();
    CaptureStderr();
    const int answer = w.fetch(&say, i);
    ASSERT_EQ(GetCapturedStdout() + GetCapturedStderr(), "      From worker 2:\tcall " + std::to_string(answer) + '\n');
  }
}

TEST_F(Output, OfACallThatThrowsIsPrintedToo) {
  const auto w = start(1).front();
  CaptureStdout();
  EXPECT_THROW(w.fetch([] {
    std::cout << "before";
    throw 1;
  }),
               remote_error);
  EXPECT_EQ(GetCapturedStdout(), "      From worker 2:\tbefore\n");
}

TEST_F(Output, OfSeveralWorkersIsNotMixedWithinALine) {
  const auto ws = start(4);
  CaptureStdout();
  session().everywhere([] {
    if (my_id() == 1) return;
    for (int i = 0; i < 500; ++i) std::cout << std::string(100, static_cast<char>('a' + my_id())) << '\n';
  });
  const std::string all = GetCapturedStdout();
  std::size_t lines = 0;
  for (std::size_t at = 0; at < all.size(); ++lines) {
    const std::size_t end = all.find('\n', at);
    const std::string line = all.substr(at, end - at);
    const auto id = static_cast<char>(line[18]);
    ASSERT_EQ(line,
              std::string("      From worker ") + id + ":\t" + std::string(100, static_cast<char>(id - '0' + 'a')));
    at = end + 1;
  }
  EXPECT_EQ(lines, 2000U);
}

TEST_F(Output, OfAWorkerThatDiesIsPrintedUpToItsEnd) {
  const auto w = start(1).front();
  CaptureStdout();
  EXPECT_THROW(w.fetch([] {
    std::cout << "last words" << std::flush;
    std::quick_exit(1);
  }),
               worker_died);
  EXPECT_EQ(GetCapturedStdout(), "      From worker 2:\tlast words\n");
}

TEST_F(Output, OfAPostedCallsErrorIsOneLineOnStderr) {
  const auto w = start(1).front();
  CaptureStderr();
  w.post([] { throw std::runtime_error("lost"); });
  w.fetch([] {});
  EXPECT_EQ(GetCapturedStderr(),
            "      From worker 2:\tweir: worker 2: a posted call threw std::runtime_error: lost\n");
}

TEST_F(Output, MayBeSentElsewhereByACall) {
  const auto w = start(1).front();
  CaptureStdout();
  w.fetch([] {
    const int file = ::open("/dev/null", O_WRONLY);
    ::dup2(file, STDOUT_FILENO);
    ::close(file);
  });
  EXPECT_EQ(w.fetch([] {
    std::cout << "unseen" << std::endl;
    return 5;
  }),
            5);
  EXPECT_EQ(GetCapturedStdout(), "");
}

TEST_F(Output, OfWorkersIsNotReadFromTheTerminal) {
  const auto w = start(1).front();
  EXPECT_EQ(w.fetch([] { return std::getchar(); }), EOF);
}

// ---- the user's own printer

struct collected {
  std::mutex mutex;
  std::vector<std::pair<output_stream, std::string>> lines;
};
collected& collection() {
  static collected all;
  return all;
}

session_options collecting() {
  session_options options;
  options.output = [](process_id worker, output_stream stream, std::string_view line) {
    const std::scoped_lock lock(collection().mutex);
    collection().lines.emplace_back(stream, std::to_string(worker) + '|' + std::string(line));
    if (line == "throw") throw std::runtime_error("printer");
  };
  return options;
}

class OutputToAFunction : public SessionTest {
 protected:
  OutputToAFunction() : SessionTest(collecting()) {}
};

TEST_F(OutputToAFunction, IsNotPrinted) {
  const auto w = start(1).front();
  CaptureStdout();
  CaptureStderr();
  w.fetch([] { std::cout << "a\nthrow\nb"; });
  w.fetch([] { std::cerr << "c\n"; });
  EXPECT_EQ(GetCapturedStdout() + GetCapturedStderr(), "");
  const auto out = output_stream::standard_output;
  const std::vector<std::pair<output_stream, std::string>> expected{
      {out, "2|a"}, {out, "2|throw"}, {out, "2|b"}, {output_stream::standard_error, "2|c"}};
  const std::scoped_lock lock(collection().mutex);
  EXPECT_EQ(collection().lines, expected);
}

TEST_F(OutputToAFunction, OfEachOfManyCallsAtOnceComesBeforeItsResult) {
  constexpr int kAtOnce = 4;
  constexpr int kCalls = 300;
  const auto w = start(1, {.concurrency = kAtOnce}).front();
  const auto has_come = [](int number) {
    const std::string line = "2|call " + std::to_string(number);
    const std::scoped_lock lock(collection().mutex);
    return std::any_of(collection().lines.begin(), collection().lines.end(),
                       [&](const auto& each) { return each.second == line; });
  };
  std::atomic<int> late{0};
  std::vector<std::jthread> callers;
  for (int caller = 0; caller < kAtOnce; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < kCalls; ++i) {
        const int number = i * kAtOnce + caller;
        w.fetch([](int x) { return x; }, number);
        w.fetch(&say, number);
        if (!has_come(number)) ++late;
      }
    });
  }
  callers.clear();
  EXPECT_EQ(late, 0);
}

}  // namespace
}  // namespace weir::tests
