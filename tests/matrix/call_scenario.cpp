// SPDX-License-Identifier: BSL-1.0
#include "call_scenario.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "death.hpp"
#include "segment/segment.hpp"
#include "support/child.hpp"
#include "weir/any.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;

int own_pid() { return ::getpid(); }
int leave_with(int status) {
  std::exit(status);
  return status;
}
int touch(channel<int> lives_with, future<int> earlier) {
  lives_with.put(earlier.get());
  std::printf("touched\n");
  return lives_with.take();
}

/// The control process of a scenario, with its session.
class director {
 public:
  director(const call_plan& what, shape how_many, ballast size, const std::string& path, int first_caller)
      : plan_(what), shape_(how_many), size_(size), path_(path), notes_(map_ledger(path)), next_caller_(first_caller) {
    session_options options;
    options.output = [](process_id, output_stream, std::string_view) {};
    session_.emplace(std::move(options));
  }

  int run() {
    start();
    if (plan_.victim == call_role::control) {
      for (int round = 0; round < 3; ++round) change_workers(round == 0 ? size_ : std::min(size_, ballast::block));
    } else {
      if (!comes_true_within(kHang, [&] { return !victim_->is_alive(); })) return 11;
      notes_.died_ns = monotonic_now();
      replace_victim();
      std::this_thread::sleep_for(20ms);  // they go on
    }
    notes_.over = 1;
    return see_callers_end();
  }

 private:
  weir::worker add(bool is_victim) {
    worker_options options;
    if (is_victim) options.environment[kEndVariable] = fmt::format("{}:{}", plan_.hit, plan_.point);
    try {
      weir::worker added = session_->add_workers(1, options).front();
      return added;
    } catch (const worker_died& e) {
      if (!is_victim) throw;
      return weir::worker(e.id());
    }
  }

  void start() {
    const bool has_victim = plan_.victim == call_role::worker;
    std::vector<process_id> callees;
    for (int i = 0; i < takers_in(shape_); ++i) {
      const weir::worker callee = add(has_victim && i == 0);
      if (has_victim && i == 0) victim_ = callee;
      callees.push_back(callee.id());
    }
    for (int i = 0; i < putters_in(shape_); ++i) {
      const bool is_victim = plan_.victim == call_role::caller && i == 0;
      const weir::worker caller = add(is_victim);
      if (is_victim) victim_ = caller;
      callees_ = callees;
      start_caller(caller);
    }
  }

  void start_caller(const weir::worker& on) {
    const int number = next_caller_++;
    // One caller with files is enough: they take most of the processors' time.
    const bool is_first = number % putters_in(shape_) == 0;
    const ballast size = size_ == ballast::file && !is_first ? ballast::small : size_;
    try {
      auto end = on.call(&call_until_over, callees_, path_, number, static_cast<int>(size));
      // A worker that is to die when it wakes somebody finds somebody asleep whenever it answers: our thread that sees to what
      // follows a future.
      if (plan_.point == "shared_event.advanced") after_ends_.push_back(end.then([] {}));
      ends_.emplace_back(on, std::move(end));
    } catch (const worker_died&) {
      if (!victim_ || on.id() != victim_->id()) throw;
    }
  }

  void replace_victim() {
    const weir::worker another = add(false);
    if (plan_.victim == call_role::caller) {
      start_caller(another);
    } else {
      notes_.another = another.id();
    }
  }

  /// Everything that only the control process does.
  void change_workers(ballast size) {
    const weir::worker one = add(false);
    const weir::worker other = add(false);
    auto lives_with = channel<int>::on(one, 2);
    lives_with.close_when_gone(other);
    future<int> number = one.call(&own_pid);
    static_cast<void>(other.fetch(&touch, lives_with, number));
    channel<any> boxes(1);
    boxes.put(any(number));  // refers to it, too
    static_cast<void>(boxes.take());
    const auto failed = one.call(&leave_with, 3);
    static_cast<void>(comes_true_within(kHang, [&] { return !one.is_alive(); }));
    try {
      failed.get();
    } catch (const worker_died&) {
      // As it should be.
    }
    session_->remove_workers(std::vector{other});
    // Results held, so that they come in blocks, and let go.
    constexpr std::array<std::size_t, kBallasts.size()> kBytes{8, 1'500'000, 17'000'000};
    const weir::worker large = session_->any_worker();
    channel<int> answers(10);
    std::vector<future<std::vector<char>>> results;
    for (const ballast each : {size, std::min(size, ballast::block)}) {
      const std::size_t bytes = kBytes.at(static_cast<std::size_t>(each));
      results.push_back(
          large.call(&work, kMostCallers * kCallsEach - 1, path_, std::vector<char>(bytes), bytes, answers));
    }
    for (const auto& each : results) each.wait();
  }

  int see_callers_end() {
    for (auto& [on, end] : ends_) {
      if (victim_ && on.id() == victim_->id()) continue;
      if (!end.wait_for(kHang)) return 12;
      end.get();
    }
    session_.reset();
    return 0;
  }

  call_plan plan_;
  shape shape_;
  ballast size_;
  std::string path_;
  call_ledger& notes_;
  std::optional<session> session_;
  std::optional<weir::worker> victim_;
  std::vector<process_id> callees_;
  std::vector<std::pair<weir::worker, future<void>>> ends_;
  std::vector<future<void>> after_ends_;
  int next_caller_;
};

std::vector<std::string> segments_of(pid_t creator) {
  std::vector<std::string> found;
  for (const std::string& name : shm::list_segments("@")) {
    for (const auto kind :
         {shm::object_kind::session, shm::object_kind::channel, shm::object_kind::results, shm::object_kind::blob}) {
      try {
        if (shm::segment::open("look", name, kind).header().creator.pid == creator) found.push_back(name);
      } catch (const error&) {
        continue;  // of another kind, or gone meanwhile
      }
    }
  }
  return found;
}

void account(call_ledger& notes) {
  EXPECT_EQ(notes.wrong, 0);
  EXPECT_LE(notes.longest_ns, kLongestWaitNs) << "a caller was held up by the dead";
  for (std::size_t i = 0; i + 1 < notes.run.size(); ++i) {
    EXPECT_LE(notes.run[i], 1) << "call " << i << " ran twice";
    EXPECT_TRUE(notes.ended[i] != call_end::returned || notes.run[i] == 1) << "call " << i << " never ran";
  }
}

}  // namespace

int direct(const call_plan& what, shape how_many, ballast size, const std::string& path) {
  int status = 0;
  for (int i = 0; i < (what.victim == call_role::control ? 3 : 1) && status == 0; ++i) {
    status = director(what, how_many, size, path, i * putters_in(how_many)).run();
    map_ledger(path).over = 0;
  }
  return status;
}

void run_call_scenario(const call_plan& what, shape how_many, ballast size) {
  const std::string path = make_ledger(testing::TempDir() + "weir-matrix.XXXXXX");
  const struct file_goes {
    const std::string& path;
    ~file_goes() { std::filesystem::remove(path); }
  } goes{path};
  call_ledger& notes = map_ledger(path);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // workers whose control process is dead are ours to wait for
  child control([&] {
    if (what.victim == call_role::control) planned_end::plan(what.point, what.hit);
    return direct(what, how_many, size, path);
  });
  const pid_t pid = control.pid();
  ASSERT_TRUE(comes_true_within(3 * kHang, [&] { return control.has_ended(); })) << "the control process hangs";
  const int status = control.wait();
  const auto workers_are_gone = [] {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) continue;
    return errno == ECHILD;
  };
  if (what.victim == call_role::control) {
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the point was never passed: status " << status;
    // In how much time they go is for runtime_death_test to see, where nothing else runs.
    EXPECT_TRUE(comes_true_within(kHang, workers_are_gone)) << "workers stay";
    // Where there was no worker to do it the next session does; but it leaves to others what they are just removing: the
    // sessions of the scenarios beside this one, whose control processes may be killed while they do.
    EXPECT_TRUE(comes_true_within(kHang, [&] {
      const session sweeper;
      return segments_of(pid).empty();
    }));
  } else {
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status of the control process: " << status;
    EXPECT_TRUE(workers_are_gone());
  }
  EXPECT_EQ(segments_of(pid), std::vector<std::string>());
  account(notes);
}

}  // namespace weir::tests
