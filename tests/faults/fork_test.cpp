// SPDX-License-Identifier: BSL-1.0
// fork() without exec, while threads put and take: the child's copies of handles are refused or do nothing, it can open
// everything afresh, and however it ends, what is its parent's stays so.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "segment/segment.hpp"
#include "support/names.hpp"
#include "support/session.hpp"
#include "weir/channel.hpp"
#include "weir/error.hpp"
#include "weir/select.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;
using numbers = std::vector<int>;

enum class ending { exits, exits_at_once, is_killed };

std::string name_of_ending(const testing::TestParamInfo<ending>& given) {
  switch (given.param) {
    case ending::exits: return "Exits";
    case ending::exits_at_once: return "ExitsAtOnce";
    default: return "IsKilled";
  }
}

/// What the forked child's `run` returns; -1: it did not end in time.
int in_fork(ending how, const std::function<int()>& run) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    int status = 99;
    try {
      status = run();
    } catch (const std::exception& e) {
      std::fprintf(stderr, "in the forked child: %s\n", e.what());
    }
    if (how == ending::is_killed && status == 0) ::raise(SIGKILL);
    if (how == ending::exits && status == 0) std::exit(0);
    ::_exit(status);
  }
  int status = 0;
  const bool ended = comes_true([&] { return ::waitpid(pid, &status, WNOHANG) == pid; });
  if (!ended) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return -1;
  }
  if (how == ending::is_killed && WIFSIGNALED(status)) return 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}

template <class Error>
bool throws(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error&) {
    return true;
  }
  return false;
}

numbers counted(int begin, std::size_t length) {
  numbers made(length);
  std::iota(made.begin(), made.end(), begin);
  return made;
}

/// Threads that put and take all the time, and see that nothing is lost.
class traffic {
 public:
  explicit traffic(const std::string& name) : ch_(channel<numbers>::create(name, 3)) {
    for (int putter = 0; putter < 2; ++putter) {
      putters_.emplace_back([this] {
        for (int i = 0; !over_.load(); ++i) {
          ch_.put(counted(i, i % 7 == 0 ? 3000 : 5));
          put_.fetch_add(1);
        }
      });
      takers_.emplace_back([this] {
        for (const numbers& got : ch_) {
          if (got == counted(got.front(), got.size())) taken_.fetch_add(1);
        }
      });
    }
  }
  ~traffic() {
    over_.store(true);
    for (std::thread& each : putters_) each.join();
    ch_.close();
    for (std::thread& each : takers_) each.join();
    EXPECT_EQ(taken_.load(), put_.load());
    EXPECT_GT(taken_.load(), 0);
  }
  [[nodiscard]] const channel<numbers>& handle() const { return ch_; }

 private:
  channel<numbers> ch_;
  std::atomic<bool> over_{false};
  std::atomic<int> put_{0};
  std::atomic<int> taken_{0};
  std::vector<std::thread> putters_;
  std::vector<std::thread> takers_;
};

class Fork : public NamedSegments, public testing::WithParamInterface<ending> {};
INSTANTIATE_TEST_SUITE_P(Child, Fork, testing::Values(ending::exits, ending::exits_at_once, ending::is_killed),
                         name_of_ending);

TEST_P(Fork, RefusesInheritedHandlesAndOpensAfresh) {
  const traffic threads(name("traffic"));
  auto ch = channel<int>::create(name(), 4);
  auto large = channel<numbers>::create(name("large"), 2);
  for (int round = 0; round < 20; ++round) {
    ch.put(1);
    auto inherited = threads.handle();
    const int status = in_fork(GetParam(), [&] {
      if (!throws<invalid_argument>([&] { ch.put(2); })) return 1;
      if (!throws<invalid_argument>([&] { (void)ch.try_put(2); })) return 2;
      if (!throws<invalid_argument>([&] { ch.take(); })) return 3;
      if (!throws<invalid_argument>([&] { (void)ch.try_take(); })) return 4;
      if (!throws<invalid_argument>([&] { (void)ch.fetch(); })) return 5;
      if (!throws<invalid_argument>([&] { (void)large.loan(5000); })) return 6;
      if (!throws<invalid_argument>([&] { (void)large.try_take_view(); })) return 7;
      if (!throws<invalid_argument>([&] { ch.close(); })) return 8;
      if (!throws<invalid_argument>([&] { (void)ch.peek(); })) return 9;
      if (!throws<invalid_argument>([&] { ch.put_all(numbers{1, 2}); })) return 10;
      if (!throws<invalid_argument>([&] { (void)ch.take_up_to(2); })) return 11;
      if (!throws<invalid_argument>([&] { select(on_take(ch, [](int) {}), on_timeout(0ms)); })) return 12;
      if (!throws<invalid_argument>([&] { inherited.put({1}); })) return 13;
      auto mine = channel<int>::open(name());
      if (mine.take() != 1) return 14;
      mine.put(3);
      channel<numbers>::open(name("large")).put(counted(round, 3000));
      channel<int> unnamed(1);  // has another name than any that the parent makes
      unnamed.put(4);
      return unnamed.take() == 4 ? 0 : 15;
    });
    ASSERT_EQ(status, 0);
    const channel<int> another(1);
    EXPECT_EQ(ch.take_for(kPatience), 3);
    EXPECT_EQ(large.take_for(kPatience), counted(round, 3000));
  }
}

TEST_P(Fork, LetsGoOfNothingThatIsTheParents) {
  const traffic threads(name("traffic"));
  std::optional<channel<numbers>> ch(std::in_place, 4);  // unnamed: goes with its last handle
  ch->put(counted(1, 4));
  ch->put(counted(2, 4000));
  auto small = std::make_optional(ch->take_view());
  auto large = std::make_optional(ch->take_view());
  auto loan = std::make_optional(ch->loan(4000));
  std::iota(loan->begin(), loan->end(), 3);
  for (int round = 0; round < 10; ++round) {
    const int status = in_fork(GetParam(), [&] {
      const numbers expected = counted(2, 4000);
      if (!std::equal(large->begin(), large->end(), expected.begin())) return 1;
      if (!throws<invalid_argument>([&] { ch->put(std::move(*loan)); })) return 2;
      loan.reset();
      small.reset();
      large.reset();
      ch.reset();
      return 0;
    });
    ASSERT_EQ(status, 0);
    for (int i = 0; i < 20; ++i) {  // would overwrite what is not kept
      ASSERT_TRUE(ch->put_for(numbers(i % 2 == 0 ? 4 : 4000, -1), kPatience));
      ASSERT_EQ(ch->take().back(), -1);
    }
    EXPECT_FALSE(ch->try_take().has_value());
    EXPECT_TRUE(std::equal(small->begin(), small->end(), counted(1, 4).begin()));
    EXPECT_TRUE(std::equal(large->begin(), large->end(), counted(2, 4000).begin()));
  }
  const std::string unnamed = ch->name();
  EXPECT_EQ(shm::list_segments(unnamed).size(), 1U);
  ch->put(std::move(*loan));
  EXPECT_EQ(ch->take(), counted(3, 4000));
  small.reset();
  large.reset();
  loan.reset();
  ch.reset();
  EXPECT_TRUE(shm::list_segments(unnamed).empty());
}

class ForkInSession : public SessionTest, public testing::WithParamInterface<ending> {};
INSTANTIATE_TEST_SUITE_P(Child, ForkInSession, testing::Values(ending::exits, ending::exits_at_once, ending::is_killed),
                         name_of_ending);

TEST_P(ForkInSession, ChildHasNoSessionAndDisturbsNone) {
  const auto w = start(2);
  const std::jthread caller([&](const std::stop_token& over) {
    for (int i = 0; !over.stop_requested(); ++i) EXPECT_EQ(w[1].fetch([](int n) { return n + 1; }, i), i + 1);
  });
  for (int round = 0; round < 20; ++round) {
    const auto answer = w[0].call([] {
      std::this_thread::sleep_for(5ms);
      return numbers(5000, 7);
    });
    const int status = in_fork(GetParam(), [&] {
      if (!throws<error>([&] { (void)w[0].call(my_id); })) return 1;
      if (!throws<error>([&] { w[0].post(my_id); })) return 2;
      if (!throws<error>([&] { (void)answer.get(); })) return 3;
      if (!throws<error>([&] { (void)answer.is_ready(); })) return 4;
      if (!throws<error>([&] { (void)answer.then([](const numbers&) { return 1; }); })) return 5;
      if (!throws<error>([&] { session().add_workers(1); })) return 6;
      if (!throws<error>([&] { session().remove_workers(w[0]); })) return 7;
      if (!throws<error>([&] { (void)weir::worker(2); })) return 8;
      if (!throws<error>([&] { session().everywhere([] {}); })) return 9;
      const auto copy = answer;
      return my_id() == 1 ? 0 : 10;
    });
    ASSERT_EQ(status, 0);
    EXPECT_EQ(answer.get(), numbers(5000, 7));
    EXPECT_TRUE(w[0].is_alive());
  }
  EXPECT_EQ(session().workers().size(), 2U);
}

TEST_P(ForkInSession, ChildMakesASessionOfItsOwn) {
  const auto w = start(1).front();
  for (int round = 0; round < 3; ++round) {
    const int status = in_fork(GetParam() == ending::is_killed ? ending::exits_at_once : GetParam(), [&] {
      weir::session own;
      const auto mine = own.add_workers(1).front();
      if (own.realm() == realm()) return 1;
      return mine.fetch([](const std::string& s) { return s + s; }, std::string(200'000, 'x')).size() == 400'000 ? 0
                                                                                                                 : 2;
    });
    ASSERT_EQ(status, 0);
    EXPECT_EQ(w.fetch(my_id), 2U);
  }
}

TEST_P(ForkInSession, ChildOfAWorkerDisturbsNeitherItNorTheSession) {
  const auto w = start(1).front();
  channel<int> ch(4);
  const auto forks = [](int how, channel<int> inherited) {
    return in_fork(static_cast<ending>(how), [&] {
      if (!throws<invalid_argument>([&] { inherited.put(1); })) return 1;
      if (!throws<not_in_session>([] { (void)weir::worker(1); })) return 2;
      return my_id() == 1 ? 0 : 3;
    });
  };
  for (int round = 0; round < 5; ++round) {
    EXPECT_EQ(w.fetch(forks, static_cast<int>(GetParam()), ch), 0);
    EXPECT_EQ(w.fetch(
                  [](channel<int> inside) {
                    inside.put(5);
                    return my_id();
                  },
                  ch),
              2U);
    EXPECT_EQ(ch.take(), 5);
  }
}

}  // namespace
}  // namespace weir::tests
