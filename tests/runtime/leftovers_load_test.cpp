// SPDX-License-Identifier: BSL-1.0
// Sweeps beside processes that work: nothing that lives is removed, and what the dead leave is.
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/leftovers.hpp"
#include "support/session.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;
using runtime::fate;
using testing::IsEmpty;

/// What the processes of a load share: whether to go on, and how far each has come.
struct progress {
  static constexpr std::size_t kProcesses = 5;
  std::atomic<bool> stop{false};
  std::array<std::atomic<long>, kProcesses> rounds{};
};

progress& shared_progress() {
  void* const memory = ::mmap(nullptr, sizeof(progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return *new (memory) progress;
}

void use_unnamed() {
  channel<int> made(4);
  channel<std::string> text(2);
  made.put(1);
  text.put(std::string(3000, 'x'));
  if (made.take() != 1 || text.take().size() != 3000) throw std::runtime_error("another item came out");
}

void use_named() {
  auto made = channel<int>::create("load", 4);
  made.put(2);
  if (channel<int>::open("load").take() != 2) throw std::runtime_error("another item came out");
  channel<int>::remove("load");
}

/// A handle goes to another process, in a channel that goes there too: for a while only references keep them.
void send_handles(channel<channel<channel<int>>>& out) {
  channel<channel<int>> outer(1);
  {
    channel<int> inner(1);
    inner.put(3);
    outer.put(inner);
  }
  out.put(outer);
}
bool receive_handles(channel<channel<channel<int>>>& in) {
  auto outer = in.take_for(100ms);
  if (!outer) return false;
  if (outer->take().take() != 3) throw std::runtime_error("another item came out");
  return true;
}

void use_session(const session& s) {
  const auto ws = s.workers();
  channel<int> belt(2);
  const auto sent = ws[0].call([](channel<int> to) { to.put(4); }, belt);
  const auto taken = ws[1].call([](channel<int> from) { return from.take(); }, belt);
  const auto large = ws[0].call([](const std::vector<double>& v) { return v; }, std::vector<double>(3'000'000));
  if (taken.get() != 4 || large.get().size() != 3'000'000) throw std::runtime_error("another result came");
  sent.get();
}

/// Five processes that do all that until they are told to stop; any error makes one fail.
class live_load {
 public:
  live_load() {
    auto handles = channel<channel<channel<int>>>::create("handles", 2);
    start(0, [] {
      return [] {
        use_unnamed();
        return true;
      };
    });
    start(1, [] {
      return [] {
        use_named();
        return true;
      };
    });
    start(2, [] {
      return [to = channel<channel<channel<int>>>::open("handles")]() mutable {
        send_handles(to);
        return true;
      };
    });
    start(3, [] {
      return [from = channel<channel<channel<int>>>::open("handles")]() mutable { return receive_handles(from); };
    });
    start(4, [] {
      auto s = std::make_shared<session>();
      s->add_workers(2);
      return [s] {
        use_session(*s);
        return true;
      };
    });
    // All of them are at it.
    EXPECT_TRUE(comes_true([&] {
      return std::all_of(shared_.rounds.begin(), shared_.rounds.end(), [](const auto& n) { return n > 0; });
    }));
  }
  [[nodiscard]] long rounds() const {
    long sum = 0;
    for (const auto& each : shared_.rounds) sum += each;
    return sum;
  }
  /// None of them has seen an error; what they had has gone, but for the named channel.
  void end() {
    // The sender may wait for room that the receiver, which has stopped, does not make.
    shared_.stop = true;
    auto handles = channel<channel<channel<int>>>::open("handles");
    EXPECT_TRUE(comes_true([&] {
      if (processes_[2]->has_ended()) return true;
      while (receive_handles(handles)) continue;
      return false;
    }));
    for (const auto& process : processes_) EXPECT_EQ(process->wait(), 0);
    while (receive_handles(handles)) continue;
    channel<channel<channel<int>>>::remove("handles");
  }

 private:
  /// `make` runs in the process and returns what is done there again and again: true if a round was finished.
  template <class Make>
  void start(std::size_t which, Make make) {
    processes_.push_back(std::make_unique<child>([this, which, make] {
      auto round = make();
      while (!shared_.stop) {
        if (round()) ++shared_.rounds[which];
      }
      return 0;
    }));
  }
  progress& shared_ = shared_progress();
  std::vector<std::unique_ptr<child>> processes_;
};

/// A process that is killed with channels, a session and references. What it has sent before is taken out by others.
void leave_something() {
  killed_after([] {
    const session s;
    const channel<int> made(2);
    channel<int> pinned(1);
    detail::pin(*detail::attach(pinned.name(), detail::codec<int>::type()));
    auto handles = channel<channel<channel<int>>>::open("handles");
    for (int i = 0; i < 3; ++i) send_handles(handles);
    ::raise(SIGKILL);
  });
}

TEST(TwoHundredSweeps, BesideALiveLoadRemoveNothingAlive) {
  in_own_memory([] {
    live_load load;
    for (int i = 0; i < 200; ++i) {
      if (i % 20 == 0) leave_something();
      sweep_all();
    }
    const long before = load.rounds();
    EXPECT_TRUE(comes_true([&] { return load.rounds() > before + 100; }));  // they still work
    load.end();
    sweep_all();
    EXPECT_THAT(segments(), IsEmpty());
  });
}

TEST(SweepersKilledAtAnyMoment, LeaveNothingThatTheNextDoesNotRemove) {
  in_own_memory([] {
    live_load load;
    std::mt19937 random(1);
    int killed = 0;
    for (int i = 0; i < 60; ++i) {
      leave_something();
      child sweeper([] {
        sweep_all();
        return 0;
      });
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 8000));
      ::kill(sweeper.pid(), SIGKILL);
      if (WIFSIGNALED(sweeper.wait())) ++killed;
    }
    EXPECT_GT(killed, 0);
    load.end();
    sweep_all();
    EXPECT_THAT(segments(), IsEmpty());
  });
}

TEST(ManySweepers, AtATimeAreInNobodysWay) {
  in_own_memory([] {
    live_load load;
    std::vector<std::unique_ptr<child>> sweepers;
    for (int i = 0; i < 4; ++i) {
      sweepers.push_back(std::make_unique<child>([] {
        for (int round = 0; round < 40; ++round) {
          for (const auto& each : sweep_all()) {
            if (each.is_problem) std::fprintf(stderr, "%s: %s\n", each.name.c_str(), each.why.c_str());
            if (each.is_problem) return 1;
          }
        }
        return 0;
      }));
    }
    for (int i = 0; i < 20; ++i) leave_something();
    for (const auto& sweeper : sweepers) EXPECT_EQ(sweeper->wait(), 0);
    load.end();
    sweep_all();
    EXPECT_THAT(segments(), IsEmpty());
  });
}

}  // namespace
}  // namespace weir::tests
