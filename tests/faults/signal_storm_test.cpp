// SPDX-License-Identifier: BSL-1.0
// Signals, some thousand a second, to all threads of all processes, with a handler that lets system calls fail (EINTR):
// nothing is lost, nothing ends early, nothing fails.
#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/child.hpp"
#include "support/names.hpp"
#include "support/sanitizers.hpp"
#include "support/session.hpp"
#include "weir/channel.hpp"
#include "weir/select.hpp"

namespace {

std::atomic<std::int64_t> g_signals{0};
std::atomic<std::size_t> g_largest_fallocate{0};  // 0: no limit

/// In workers too, before anything can send them one.
[[maybe_unused]] const bool kInstalled = [] {
  struct sigaction action {};
  action.sa_handler = [](int) { g_signals.fetch_add(1, std::memory_order_relaxed); };
  return ::sigaction(SIGUSR1, &action, nullptr) == 0;  // without SA_RESTART
}();

}  // namespace

/// Before Linux 6.18 a signal undoes what a call on tmpfs has reserved: one that takes longer than signals are apart
/// never succeeds. When limited, this is such a kernel.
extern "C" int fallocate(int fd, int mode, off_t offset, off_t bytes) {
  const std::size_t largest = g_largest_fallocate.load();
  if (largest != 0 && mode == 0 && static_cast<std::size_t>(bytes) > largest) {
    errno = EINTR;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fallocate, fd, mode, offset, bytes));
}

namespace weir::tests {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

std::vector<pid_t> threads_of(pid_t process) {
  std::vector<pid_t> found;
  const std::string path = "/proc/" + std::to_string(process) + "/task";
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr) {
    if (const pid_t thread = std::atoi(entry->d_name); thread != 0) found.push_back(thread);
  }
  return found;
}

[[noreturn]] void blow(const std::vector<pid_t>& processes) {
  constexpr int kRoundsBetweenLooks = 20;
  for (;;) {
    std::vector<std::pair<pid_t, pid_t>> targets;
    for (const pid_t process : processes) {
      for (const pid_t thread : threads_of(process)) targets.emplace_back(process, thread);
    }
    for (int round = 0; round < kRoundsBetweenLooks; ++round) {
      for (const auto& [process, thread] : targets) ::syscall(SYS_tgkill, process, thread, SIGUSR1);
      std::this_thread::sleep_for(100us);
    }
  }
}

/// A process that sends signals to all threads of these while it lives.
class storm {
 public:
  explicit storm(std::vector<pid_t> processes = {::getpid()})
      : before_(g_signals.load()), sender_([&] {
          blow(processes);
          return 0;
        }) {}
  /// It did blow: checked in this process.
  ~storm() { EXPECT_GT(g_signals.load() - before_, 100); }

 private:
  std::int64_t before_;
  child sender_;
};

class SignalStorm : public NamedSegments {};

template <class Wait>
void expect_to_last(std::chrono::milliseconds length, Wait&& wait) {
  const auto begin = steady::now();
  wait();
  EXPECT_GE(steady::now() - begin, length);
}

TEST_F(SignalStorm, EndsNoWaitEarly) {
  constexpr auto kLength = 200ms;
  channel<int> empty(1);
  channel<int> full(1);
  full.put(1);
  channel<int> rendezvous(0);
  channel<std::vector<int>> large(1);
  const storm blows;
  expect_to_last(kLength, [&] { EXPECT_EQ(empty.take_for(kLength), std::nullopt); });
  expect_to_last(kLength, [&] { EXPECT_EQ(empty.fetch_for(kLength), std::nullopt); });
  expect_to_last(kLength, [&] { EXPECT_FALSE(full.put_for(2, kLength)); });
  expect_to_last(kLength, [&] { EXPECT_FALSE(rendezvous.put_for(2, kLength)); });
  expect_to_last(kLength, [&] { EXPECT_FALSE(large.take_view_for(kLength).has_value()); });
  expect_to_last(kLength,
                 [&] { EXPECT_EQ(select(on_take(empty, [](int) {}), on_put(full, 2), on_timeout(kLength)), 2U); });
}

constexpr int kPutters = 2;
using item = std::vector<std::int64_t>;  // of three lengths: in a slot, in a block, in a block of several pages
constexpr std::array<std::size_t, 3> kLengths{2, 300, 20'000};

item make_item(int putter, int number) {
  item made(kLengths[static_cast<std::size_t>(number) % kLengths.size()], number);
  made.front() = putter;
  return made;
}
bool is_whole(const item& i) {
  return i.size() >= 2 && i.size() == kLengths[static_cast<std::size_t>(i.back()) % kLengths.size()] &&
         std::accumulate(i.begin() + 1, i.end(), std::int64_t{0}) == i.back() * static_cast<std::int64_t>(i.size() - 1);
}

/// Takes until the channel is closed; items of each putter come whole and in order. Returns how many.
template <class Take>
int take_all(Take&& take) {
  std::array<std::int64_t, kPutters> last{-1, -1};
  int count = 0;
  try {
    for (;; ++count) {
      const item got = take();
      const auto putter = static_cast<std::size_t>(got.front());
      EXPECT_TRUE(is_whole(got)) << got.back();
      EXPECT_GT(got.back(), last[putter]);
      last[putter] = got.back();
    }
  } catch (const channel_closed&) {
    return count;
  }
}

TEST_F(SignalStorm, LosesNoItem) {
  constexpr int kItems = kIsAddressSanitized ? 5'000 : 20'000;
  auto ch = channel<item>::create(name(), 3);
  auto other = channel<int>::create(name("other"), 1);
  std::vector<std::unique_ptr<child>> putters;
  std::vector<pid_t> all{::getpid()};
  for (int putter = 0; putter < kPutters; ++putter) {
    putters.push_back(std::make_unique<child>([&, putter] {
      auto out = channel<item>::open(name());
      for (int number = 0; number < kItems; ++number) {
        if (number % 3 == 0) {
          if (!out.put_for(make_item(putter, number), kPatience)) return 1;
        } else if (number % 3 == 1) {
          const item filled = make_item(putter, number);
          auto loan = out.loan(filled.size());
          std::copy(filled.begin(), filled.end(), loan.begin());
          out.put(std::move(loan));
        } else {
          out.put(make_item(putter, number));
        }
      }
      return 0;
    }));
    all.push_back(putters.back()->pid());
  }
  std::atomic<int> taken{0};
  {
    const storm blows(all);
    std::vector<std::thread> takers;
    takers.emplace_back([&] { taken += take_all([&] { return ch.take(); }); });
    takers.emplace_back([&] {
      taken += take_all([&] {
        const auto view = ch.take_view();
        return item(view.begin(), view.end());
      });
    });
    takers.emplace_back([&] {
      taken += take_all([&] {
        item got;
        while (select(on_take(ch, got), on_take(other, [](int) {}), on_timeout(20ms)) != 0) {
        }
        return got;
      });
    });
    for (const auto& putter : putters) EXPECT_EQ(putter->wait(), 0);
    ch.close();
    for (std::thread& taker : takers) taker.join();
  }
  EXPECT_EQ(taken.load(), kPutters * kItems);
}

TEST_F(SignalStorm, LetsMemoryBeReserved) {
  constexpr std::size_t kPage = 4096;
  for (const std::size_t largest : {64 * kPage, kPage}) {
    g_largest_fallocate = largest;
    child putter([&] {
      channel<std::vector<char>> ch(1);
      ch.put(std::vector<char>(9'000'000, 'x'));
      return ch.take() == std::vector<char>(9'000'000, 'x') ? 0 : 1;
    });
    g_largest_fallocate = 0;
    EXPECT_TRUE(comes_true([&] { return putter.has_ended(); })) << "nothing larger than " << largest << " bytes";
    if (putter.has_ended()) {
      EXPECT_EQ(putter.wait(), 0);
    }
  }
}

std::string double_of(const std::string& s) { return s + s; }

TEST_F(SignalStorm, EndsNoSessionCallOrFuture) {
  const storm blows;
  for (int round = 0; round < 3; ++round) {
    weir::session session;
    const auto w = session.add_workers(2);
    std::vector<pid_t> all;
    for (const auto& each : w) all.push_back(each.fetch([] { return ::getpid(); }));
    const storm blows_there(all);
    std::vector<future<std::string>> answers;
    for (std::size_t i = 0; i < 200; ++i) {
      answers.push_back(w[i % 2].call(double_of, std::string(i % 3 == 0 ? 200'000 : i, 'x')));
    }
    for (std::size_t i = 0; i < answers.size(); ++i) {
      EXPECT_EQ(answers[i].get().size(), 2 * (i % 3 == 0 ? 200'000 : i));
    }
    const auto late = w[0].call([] {
      const auto until = steady::now() + 300ms;  // sleep_for() would do too, but this cannot end early
      while (steady::now() < until) std::this_thread::sleep_for(1ms);
      return g_signals.load();
    });
    expect_to_last(100ms, [&] { EXPECT_FALSE(late.wait_for(100ms)); });
    EXPECT_GT(late.get(), 10);
    EXPECT_EQ(late.then([](std::int64_t) { return 1; }).get(), 1);
    session.remove_workers(w[1]);
    EXPECT_EQ(w[0].fetch(my_id), 2U);
  }
}

/// The reader of `pipe` is slow, so that whoever prints waits for room.
std::string read_slowly(int pipe) {
  std::string all;
  std::array<char, 1024> some;
  for (ssize_t got = 1; got != 0;) {
    got = ::read(pipe, some.data(), some.size());
    if (got > 0) all.append(some.data(), static_cast<std::size_t>(got));
    if (got > 0 && all.size() % 8192 < some.size()) std::this_thread::sleep_for(1ms);
  }
  return all;
}

TEST_F(SignalStorm, LosesNoLineThatWorkersPrint) {
  constexpr int kLines = 50'000;
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  child control([&] {
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    const storm blows;
    weir::session session;
    const auto w = session.add_workers(1).front();
    w.fetch([] {
      for (int line = 0; line < kLines; ++line) std::printf("%d\n", line);
    });
    return 0;
  });
  ::close(ends[1]);
  const std::string printed = read_slowly(ends[0]);
  ::close(ends[0]);
  EXPECT_EQ(control.wait(), 0);
  std::string expected;
  for (int line = 0; line < kLines; ++line) expected += "      From worker 2:\t" + std::to_string(line) + '\n';
  EXPECT_TRUE(printed == expected) << printed.size() << " bytes of " << expected.size();
}

}  // namespace
}  // namespace weir::tests
