// SPDX-License-Identifier: BSL-1.0
// Putters, takers, viewers, callers and workers on all CPUs, one of which is killed every few milliseconds and replaced,
// and some of which are stopped for a while. At the end every item and every call is accounted for.
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "channel/channel_core.hpp"
#include "inspect/channel.hpp"
#include "segment/segment.hpp"
#include "storm_roles.hpp"
#include "weir/channel.hpp"
#include "weir/session.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

struct weather {
  std::chrono::seconds length{60};
  std::chrono::microseconds between{5000};  // two kills, on average
  std::uint32_t seed = 1;
};

/// Times of events that know nothing of each other.
class event_times {
 public:
  event_times(std::chrono::microseconds mean, std::mt19937& dice) : mean_(mean), dice_(dice) {}
  void wait_for_next() {
    std::exponential_distribution<double> gap(1.0 / static_cast<double>(mean_.count()));
    next_ += std::chrono::microseconds(static_cast<long>(gap(dice_)));
    std::this_thread::sleep_until(next_);
    next_ = std::max(next_, clock::now() - 10 * mean_);  // what could not be done in time is not made up for at once
  }

 private:
  std::chrono::microseconds mean_;
  std::mt19937& dice_;
  clock::time_point next_ = clock::now();
};

/// The processes on the channel: starts, stops, kills and replaces them.
class nursery {
 public:
  nursery(const weather& what, std::string name, storm_ledger& notes)
      : weather_(what), name_(std::move(name)), notes_(notes), dice_(what.seed) {}

  int run() {
    for (const storm_role role :
         {storm_role::putter, storm_role::putter, storm_role::taker, storm_role::taker, storm_role::viewer}) {
      residents_.push_back(start(role));
    }
    event_times times(weather_.between, dice_);
    for (const auto end = clock::now() + weather_.length; clock::now() < end;) {
      times.wait_for_next();
      resident& one = residents_[dice_() % residents_.size()];
      if (dice_() % 5 == 0) {
        stop(one);
      } else {
        kill(one);
        one = start(one.role);
      }
      continue_those_whose_time_it_is();
    }
    return end_all();
  }

 private:
  struct resident {
    storm_role role;
    pid_t pid = 0;
    life* own = nullptr;
    clock::time_point continues = clock::time_point::max();  // if it is stopped
  };

  resident start(storm_role role) {
    life& own = notes_.lives.at(notes_.next_life++);
    const pid_t pid = ::fork();
    if (pid == 0) {
      int status = 9;
      try {
        status = play(role, name_, notes_, own);
      } catch (const std::exception& e) {
        fmt::print(stderr, "in a process of the storm: {}\n", e.what());
        ++notes_.unexpected;
      }
      ::_exit(status);
    }
    return {role, pid, &own};
  }
  void stop(resident& one) {
    ++one.own->stops;
    ++notes_.stops;
    ::kill(one.pid, SIGSTOP);
    one.continues = clock::now() + std::chrono::milliseconds(1 + dice_() % 120);
  }
  void kill(const resident& one) {
    one.own->killed = 1;
    ++notes_.kills;
    ::kill(one.pid, SIGKILL);
    ::waitpid(one.pid, nullptr, 0);
  }
  void continue_those_whose_time_it_is(bool all = false) {
    for (resident& one : residents_) {
      if (one.continues == clock::time_point::max() || (!all && one.continues > clock::now())) continue;
      ::kill(one.pid, SIGCONT);
      one.continues = clock::time_point::max();
    }
  }

  /// First the putters, then the takers, then what is left inside.
  int end_all() {
    continue_those_whose_time_it_is(/*all=*/true);
    notes_.over = 1;
    bool well = true;
    for (const resident& one : residents_) {
      if (one.role == storm_role::putter) well = ends(one) && well;
    }
    auto ch = channel<std::vector<std::int32_t>>::open(name_);
    for (const resident& one : residents_) {
      if (one.role != storm_role::putter) well = ch.put_for(std::vector<std::int32_t>(2, kEndOfItems), 20s) && well;
    }
    for (const resident& one : residents_) {
      if (one.role != storm_role::putter) well = ends(one) && well;
    }
    // What the last of the dead had.
    detail::attach(name_, detail::codec<std::vector<std::int32_t>>::type())
        ->look_for_the_dead(/*even_if_just_looked=*/true);
    while (const auto left = ch.try_take()) note_taken(notes_, *left);
    const inspect::channel_report seen = inspect::describe_channel(name_);
    for (const std::string& problem : seen.problems) fmt::print(stderr, "problem: {}\n", problem);
    return well && seen.problems.empty() && seen.orphans == 0 && ch.is_empty() ? 0 : 1;
  }
  static bool ends(const resident& one) {
    const auto give_up = clock::now() + 20s;
    int status = 0;
    while (::waitpid(one.pid, &status, WNOHANG) == 0) {
      if (clock::now() >= give_up) {
        ::kill(one.pid, SIGKILL);
        fmt::print(stderr, "a process hangs at the end\n");
        return false;
      }
      std::this_thread::sleep_for(1ms);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

  weather weather_;
  std::string name_;
  storm_ledger& notes_;
  std::mt19937 dice_;
  std::vector<resident> residents_;
};

int pid_of_this() { return ::getpid(); }

/// The session: two workers that serve, one that calls them.
class company {
 public:
  company(const weather& what, std::string path, storm_ledger& notes)
      : weather_(what), path_(std::move(path)), notes_(notes), dice_(what.seed + 1) {}

  int run() {
    session_options options;
    options.output = [](process_id, output_stream, std::string_view) {};
    session s(std::move(options));
    for (std::size_t i = 0; i < notes_.callees.size(); ++i) notes_.callees[i] = start(s).id();
    start_caller(s);
    event_times times(10 * weather_.between, dice_);
    for (const auto end = clock::now() + weather_.length; clock::now() < end;) {
      times.wait_for_next();
      const std::size_t which = dice_() % (notes_.callees.size() + 1);
      ++notes_.kills;
      if (which == notes_.callees.size()) {
        kill(caller_->id());
        start_caller(s);
      } else {
        const process_id dead = notes_.callees[which];
        const weir::worker another = start(s);
        notes_.callees[which] = another.id();
        kill(dead);
      }
    }
    notes_.over = 1;
    if (!calls_end_->wait_for(20s)) return 2;
    calls_end_->get();
    return 0;
  }

 private:
  weir::worker start(session& s) {
    const weir::worker added = s.add_workers(1).front();
    pids_[added.id()] = added.fetch(&pid_of_this);
    return added;
  }
  void start_caller(session& s) {
    caller_ = start(s);
    calls_end_ = caller_->call(&keep_calling, path_, notes_.next_life++);
  }
  void kill(process_id id) { ::kill(pids_.at(id), SIGKILL); }

  weather weather_;
  std::string path_;
  storm_ledger& notes_;
  std::mt19937 dice_;
  std::map<process_id, pid_t> pids_;
  std::optional<weir::worker> caller_;
  std::optional<future<void>> calls_end_;
};

template <class Program>
pid_t in_a_process(Program&& program) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  int status = 9;
  try {
    status = program();
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}\n", e.what());
  }
  ::_exit(status);
}

int status_of(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

struct account {
  std::uint64_t lost = 0;           // put returned, and nobody can have it
  std::uint64_t with_the_dead = 0;  // a killed process had it, or may have had
  std::uint64_t doubled = 0;
  std::uint64_t refused_but_taken = 0;
  std::uint64_t calls_run_twice = 0;
  std::uint64_t answers_without_run = 0;
};

account close_the_books(const storm_ledger& notes) {
  account sum;
  std::map<std::int32_t, bool> viewed;
  std::uint64_t killed_while_taking = 0;
  for (std::size_t i = 0; i < notes.next_life; ++i) {
    const life& each = notes.lives[i];
    if (each.killed == 0) continue;
    if (each.views != 0) viewed[each.views - 1] = true;
    if (each.taking != 0) ++killed_while_taking;
  }
  std::uint64_t missing = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(notes.next_item, kMostItems); ++i) {
    if (notes.taken[i] > 1) ++sum.doubled;
    if (notes.taken[i] != 0 || notes.put[i] != put_state::returned) continue;
    if (viewed.contains(static_cast<std::int32_t>(i))) {
      ++sum.with_the_dead;
    } else {
      ++missing;
    }
  }
  // One of each killed inside a take that copies may be out already.
  sum.with_the_dead += std::min(missing, killed_while_taking);
  sum.lost = missing - std::min(missing, killed_while_taking);
  for (std::size_t i = 0; i < std::min<std::size_t>(notes.next_call, kMostCalls); ++i) {
    if (notes.run[i] > 1) ++sum.calls_run_twice;
    if (notes.ended[i] == call_end::returned && notes.run[i] == 0) ++sum.answers_without_run;
  }
  return sum;
}

int run_storm(const weather& what) {
  const std::string name = fmt::format("storm.{}", ::getpid());
  const std::string path = (std::filesystem::temp_directory_path() / ("weir-" + name)).string();
  const auto segments_before = shm::list_segments();
  storm_ledger& notes = map_storm_ledger(path);
  int channel_side = 0;
  int session_side = 0;
  {
    const auto ch = channel<std::vector<std::int32_t>>::create(name, 16);
    const pid_t nursery_pid = in_a_process([&] { return nursery(what, name, notes).run(); });
    const pid_t company_pid = in_a_process([&] { return company(what, path, notes).run(); });
    session_side = status_of(company_pid);
    channel_side = status_of(nursery_pid);
  }
  channel<std::vector<std::int32_t>>::remove(name);
  const account sum = close_the_books(notes);
  std::vector<std::string> left = shm::list_segments(name);
  fmt::print(
      "{} s, seed {}: {} kills, {} stops\n"
      "items: {} put, {} taken, {} with killed takers; {} lost, {} doubled, {} torn\n"
      "calls: {} answered, {} failed with their worker; {} run twice, {} wrong answers, {} answers without a run\n"
      "longest wait: {:.0f} ms; unexpected errors: {}; files left: {}; ends: {} {}\n",
      what.length.count(), what.seed, notes.kills.load(), notes.stops.load(), notes.puts.load(), notes.takes.load(),
      sum.with_the_dead, sum.lost, sum.doubled, notes.torn.load(), notes.calls.load(), notes.failed_calls.load(),
      sum.calls_run_twice, notes.wrong_answers.load(), sum.answers_without_run,
      static_cast<double>(notes.longest_ns.load()) / 1e6, notes.unexpected.load(), left.size(), channel_side,
      session_side);
  std::filesystem::remove(path);
  const bool well = sum.lost == 0 && sum.doubled == 0 && notes.torn == 0 && sum.calls_run_twice == 0 &&
                    notes.wrong_answers == 0 && sum.answers_without_run == 0 && notes.unexpected == 0 &&
                    notes.longest_ns <= 1'000'000'000 && left.empty() && channel_side == 0 && session_side == 0;
  fmt::print("{}\n", well ? "all is well" : "SOMETHING IS WRONG");
  return well ? 0 : 1;
}

}  // namespace
}  // namespace weir::tests

int main(int argc, char** argv) {
  weir::serve_if_worker();
  weir::tests::weather what;
  unsigned seconds = 60;
  unsigned microseconds = 5000;
  CLI::App app{"Kills processes of weir at random moments and accounts for every item."};
  app.add_option("--seconds", seconds, "How long")->capture_default_str();
  app.add_option("--between", microseconds, "Microseconds between two kills, on average")->capture_default_str();
  app.add_option("--seed", what.seed, "Of the random moments")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  what.length = std::chrono::seconds(seconds);
  what.between = std::chrono::microseconds(microseconds);
  return weir::tests::run_storm(what);
}
