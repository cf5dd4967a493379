// SPDX-License-Identifier: BSL-1.0
//
// Heat in a plate whose edges are kept at fixed temperatures: from 0 degrees inside until nothing changes any more. Each
// step every point becomes the mean of its four neighbours (Jacobi's method), from one array into the other and back.
//
// The plate is divided among the workers by rows. They read the rows on their neighbours' edges where these lie, and meet
// once a step, at a barrier; every kCheckEvery steps they also agree on the largest change, and stop when that is small.
// The result is the serial one, bit for bit, however many workers there are: a point's sum is always the same one.
//
// The arrays outlive the workers. When one dies, another is started, and they carry on from the last step that all have
// finished; with --name the arrays outlive this program too, and the next run carries on.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <limits>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "picture.hpp"
#include "weir/weir.hpp"

namespace {

using storage = weir::array<double, 2>;
using field = weir::distributed_array<double, 2>;
using words = weir::array<std::uint64_t>;

constexpr std::uint64_t kCheckEvery = 50;  // steps. Finding the largest change costs more than a step without it
constexpr std::size_t kMaxRanks = 64;

// ------------------------------------------------------------------------------------------------------- the journal

/// How far each rank is: twice the number of steps it has finished, plus one while it is in the next one. A rank that is
/// in step n + 1 has been told that all had finished n, and writes into the array that held the field after n - 1. So
/// with n the least that any has finished, the field after n is whole, whoever was killed and when.
///
/// Words of one array; each rank's on a cache line of its own.
class journal {
 public:
  static std::size_t size() { return kLine * (kMaxRanks + 1); }

  explicit journal(words all) : words_(std::move(all)) {}

  void begins(std::size_t rank, std::uint64_t steps_before) const { store(rank + 1, 2 * steps_before + 1); }
  void has_finished(std::size_t rank, std::uint64_t steps) const { store(rank + 1, 2 * steps); }

  /// Steps that all have finished.
  [[nodiscard]] std::uint64_t finished() const { return least() / 2; }
  /// The array that held the field before may have been written to since.
  [[nodiscard]] bool someone_went_on() const {
    std::uint64_t most = 0;
    for (std::size_t r = 0; r < ranks(); ++r) most = std::max(most, load(r + 1));
    return most > 2 * finished();
  }
  /// For so many ranks, which begin where all have got to. Says the same as before wherever it is interrupted.
  void restart(std::size_t ranks) const {
    const std::uint64_t all = 2 * finished() + (someone_went_on() ? 1 : 0);
    for (std::size_t r = 0; r < kMaxRanks; ++r) store(r + 1, all);
    words_.atomic(kRanks).store(ranks, std::memory_order_release);
  }
  /// The edges are there.
  [[nodiscard]] bool is_ready() const { return words_.atomic(kReady).load(std::memory_order_acquire) != 0; }
  void set_ready() const { words_.atomic(kReady).store(1, std::memory_order_release); }

 private:
  static constexpr std::size_t kLine = 8;
  static constexpr std::size_t kRanks = 0;
  static constexpr std::size_t kReady = 1;

  [[nodiscard]] std::size_t ranks() const { return words_.atomic(kRanks).load(std::memory_order_acquire); }
  [[nodiscard]] std::uint64_t least() const {
    if (ranks() == 0) return 0;
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    for (std::size_t r = 0; r < ranks(); ++r) least = std::min(least, load(r + 1));
    return least;
  }
  [[nodiscard]] std::uint64_t load(std::size_t at) const {
    return words_.atomic(kLine * at).load(std::memory_order_acquire);
  }
  void store(std::size_t at, std::uint64_t value) const {
    words_.atomic(kLine * at).store(value, std::memory_order_release);
  }

  words words_;
};

// ------------------------------------------------------------------------------------------------------------ a step

/// The points of one row but the first and the last. The compiler makes it several points at a time.
void relax(const double* __restrict above, const double* __restrict row, const double* __restrict below,
           double* __restrict out, std::size_t count) {
  for (std::size_t j = 1; j + 1 < count; ++j) {
    out[j] = 0.25 * ((above[j] + below[j]) + (row[j - 1] + row[j + 1]));
  }
}

double largest_change(const double* before, const double* after, std::size_t count) {
  double largest = 0;
  for (std::size_t j = 1; j + 1 < count; ++j) largest = std::max(largest, std::fabs(after[j] - before[j]));
  return largest;
}

// --------------------------------------------------------------------------------------------------- what workers run

struct settings {
  double tolerance = 0;
  std::uint64_t max_steps = 0;
  std::size_t ranks = 0;         // between which the rows are divided
  std::uint64_t kill_after = 0;  // the last rank is killed in the middle of the step after these; 0: it is not
};

struct outcome {
  std::uint64_t steps = 0;
  double change = 0;
  bool is_steady = false;
};

/// This rank's rows of the two arrays, without those on the plate's edges.
class strip {
 public:
  explicit strip(const field& even, const field& odd) : columns_(even.extent(1)) {
    const weir::index_range rows = even.local_indices()[0];
    if (rows.size() == 0) return;  // more workers than rows
    halos_ = {even.halo(1), odd.halo(1)};
    first_ = rows.begin == 0 ? 1 : 0;
    end_ = static_cast<std::ptrdiff_t>(rows.size()) - (rows.end == even.extent(0) ? 1 : 0);
  }
  [[nodiscard]] std::ptrdiff_t rows() const { return end_ - first_; }

  /// Step number `step`, which are counted from 0: of this rank's rows those from `begin` to before `end`.
  void relax_rows(std::uint64_t step, std::ptrdiff_t begin, std::ptrdiff_t end) const {
    const weir::halo_view<double, 2>& from = halos_[step % 2];
    const weir::halo_view<double, 2>& to = halos_[(step + 1) % 2];
    for (std::ptrdiff_t i = first_ + begin; i < first_ + end; ++i) {
      relax(&from(i - 1, 0), &from(i, 0), &from(i + 1, 0), &to(i, 0), columns_);
    }
  }
  /// Between the two arrays.
  [[nodiscard]] double change() const {
    double largest = 0;
    for (std::ptrdiff_t i = first_; i < end_; ++i) {
      largest = std::max(largest, largest_change(&halos_[0](i, 0), &halos_[1](i, 0), columns_));
    }
    return largest;
  }

 private:
  std::size_t columns_;
  std::array<weir::halo_view<double, 2>, 2> halos_;
  std::ptrdiff_t first_ = 0;
  std::ptrdiff_t end_ = 0;
};

double larger(double a, double b) { return std::max(a, b); }

/// On each worker. The field after an even number of steps is in `even`.
outcome solve(weir::team& team, field even, field odd, words steps_so_far, settings wanted) {
  if (team.size() != wanted.ranks) return {};       // a worker has gone since
  const auto in_use = odd.storage().lock_shared();  // so that no later run begins before this one has ended
  const journal steps(std::move(steps_so_far));
  const strip mine(even, odd);
  outcome now{.steps = steps.finished()};
  const bool was_checked = steps.someone_went_on();
  team.barrier();  // all have read the journal: from here on it changes
  if (now.steps > 0 && now.steps % kCheckEvery == 0 && !was_checked) {
    now.change = team.all_reduce(mine.change(), larger);
    now.is_steady = now.change < wanted.tolerance;
  }
  while (!now.is_steady && now.steps < wanted.max_steps) {
    steps.begins(team.rank(), now.steps);
    if (now.steps == wanted.kill_after && wanted.kill_after != 0 && team.rank() + 1 == team.size()) {
      mine.relax_rows(now.steps, 0, mine.rows() / 2);
      std::raise(SIGKILL);
    }
    mine.relax_rows(now.steps, 0, mine.rows());
    steps.has_finished(team.rank(), ++now.steps);
    if (now.steps % kCheckEvery == 0) {
      now.change = team.all_reduce(mine.change(), larger);  // all wait for all here, too
      now.is_steady = now.change < wanted.tolerance;
    } else {
      team.barrier();
    }
  }
  return now;
}

// ---------------------------------------------------------------------------------------------- the same, serially

/// Edges in degrees: the upper one hottest in its middle, the left one warm at its lower end, the lower one where it is
/// heated, the right one cold.
double edge(std::size_t i, std::size_t j, std::size_t rows, std::size_t columns) {
  const double y = static_cast<double>(i) / static_cast<double>(rows - 1);
  const double x = static_cast<double>(j) / static_cast<double>(columns - 1);
  if (i == 0) return 400 * x * (1 - x);
  if (j == 0) return 50 * y * y;
  if (i + 1 == rows) return x > 0.5 && x < 0.8 ? 80 : 50 * (1 - x);
  return 0;
}

bool is_on_edge(std::size_t i, std::size_t j, std::size_t rows, std::size_t columns) {
  return i == 0 || j == 0 || i + 1 == rows || j + 1 == columns;
}

/// At(i, j) = the plate before the first step.
template <class At>
void set_up(std::size_t rows, std::size_t columns, At&& at) {
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      at(i, j) = is_on_edge(i, j, rows, columns) ? edge(i, j, rows, columns) : 0;
    }
  }
}

struct serial_result {
  std::vector<double> plate;
  outcome how;
};

serial_result solve_serially(std::size_t rows, std::size_t columns, const settings& wanted) {
  std::vector<double> before(rows * columns);
  set_up(rows, columns, [&](std::size_t i, std::size_t j) -> double& { return before[i * columns + j]; });
  std::vector<double> after = before;
  outcome now;
  while (!now.is_steady && now.steps < wanted.max_steps) {
    for (std::size_t i = 1; i + 1 < rows; ++i) {
      const double* row = &before[i * columns];
      relax(row - columns, row, row + columns, &after[i * columns], columns);
    }
    if (++now.steps % kCheckEvery == 0) {
      now.change = 0;
      for (std::size_t i = 1; i + 1 < rows; ++i) {
        now.change = std::max(now.change, largest_change(&before[i * columns], &after[i * columns], columns));
      }
      now.is_steady = now.change < wanted.tolerance;
    }
    std::swap(before, after);
  }
  return {std::move(before), now};
}

// ------------------------------------------------------------------------------------------------ the control process

struct plate {
  storage even;
  storage odd;
  words steps;
};

plate open_plate(const std::string& name, std::size_t size) {
  if (name.empty()) return {storage({size, size}), storage({size, size}), words(journal::size())};
  return {storage::open_or_create(name + ".even", {size, size}), storage::open_or_create(name + ".odd", {size, size}),
          words::open_or_create(name + ".journal", journal::size())};
}

void prepare(const plate& p) {
  const journal steps(p.steps);
  if (steps.is_ready()) return;
  for (const storage& each : {p.even, p.odd}) {
    set_up(each.extent(0), each.extent(1), [&](std::size_t i, std::size_t j) -> double& { return each(i, j); });
  }
  steps.set_ready();
}

void remove_plate(const std::string& name) {
  for (const char* part : {".even", ".odd", ".journal"}) {
    try {
      storage::remove(name + part);  // of whatever type
    } catch (const weir::not_found&) {
      // was removed before, by a run that was interrupted here
    }
  }
}

/// How far the workers are: one line on a terminal; elsewhere a line each time, if it is asked for.
class progress_line {
 public:
  progress_line(journal steps, bool always) : steps_(std::move(steps)), is_terminal_(::isatty(STDERR_FILENO) != 0) {
    if (is_terminal_ || always) thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

 private:
  void run(const std::stop_token& stop) const {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any never;
    while (!stop.stop_requested()) {
      const auto step = static_cast<unsigned long long>(steps_.finished());
      std::fprintf(stderr, is_terminal_ ? "\rstep %llu" : "step %llu\n", step);
      never.wait_for(lock, stop, std::chrono::milliseconds(100), [] { return false; });
    }
    if (is_terminal_) std::fprintf(stderr, "\r\033[K");
  }
  journal steps_;
  bool is_terminal_;
  std::jthread thread_;
};

/// Until the plate is steady, with a new worker for each that dies.
outcome run(weir::session& session, const plate& p, settings wanted, bool show_progress) {
  const journal steps(p.steps);
  const progress_line line(steps, show_progress);
  for (;;) {
    const std::vector<weir::worker> workers = session.workers();
    const std::size_t parts = std::min(workers.size(), p.even.extent(0));
    const weir::distributed_options rows{
        .owners = {workers.begin(), workers.begin() + static_cast<std::ptrdiff_t>(parts)}, .grid = {parts, 1}};
    steps.restart(workers.size());
    wanted.ranks = workers.size();
    try {
      const std::vector<outcome> ends =
          session.spmd(solve, field::over(p.even, rows), field::over(p.odd, rows), p.steps, wanted);
      if (ends.size() == workers.size()) return ends.front();
    } catch (const weir::worker_died& e) {
      std::cout << e.what() << "; another carries on after step " << steps.finished() << std::endl;
      wanted.kill_after = 0;
      session.add_workers(1);
    }
  }
}

struct command_line {
  std::size_t size = 256;
  std::size_t workers = 2;
  settings wanted{.tolerance = 1e-3, .max_steps = std::numeric_limits<std::uint64_t>::max()};
  std::string name;
  std::string picture;
  bool keep = false;
  bool check = false;
  bool progress = false;
};

int solve_and_show(const command_line& asked) {
  weir::session session;
  session.add_workers(asked.workers);
  const plate p = open_plate(asked.name, asked.size);
  const auto ours = p.even.lock();       // one program at a time
  { const auto others = p.odd.lock(); }  // workers whose program was killed end a little later than it
  prepare(p);
  if (const std::uint64_t before = journal(p.steps).finished(); before > 0) {
    std::cout << "carrying on after step " << before << std::endl;
  }
  using clock = std::chrono::steady_clock;
  const auto begin = clock::now();
  const outcome found = run(session, p, asked.wanted, asked.progress);
  const std::chrono::duration<double> seconds = clock::now() - begin;
  const storage& result = found.steps % 2 == 0 ? p.even : p.odd;
  std::cout << asked.size << "x" << asked.size << " points on " << asked.workers << " workers: " << found.steps
            << " steps, " << (found.is_steady ? "steady" : "not steady yet") << std::endl;
  std::fprintf(stderr, "%.3f s\n", seconds.count());
  if (!asked.picture.empty()) draw(asked.picture, result.data(), asked.size, asked.size);
  bool same = true;
  if (asked.check) {
    const serial_result expected = solve_serially(asked.size, asked.size, asked.wanted);
    same = expected.how.steps == found.steps &&
           std::memcmp(expected.plate.data(), result.data(), result.size() * sizeof(double)) == 0;
    std::cout << (same ? "the serial solution is the same, bit for bit" : "THE SERIAL SOLUTION IS ANOTHER")
              << std::endl;
  }
  if (!asked.name.empty() && !asked.keep && found.is_steady) remove_plate(asked.name);
  return same ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  weir::serve_if_worker();
  command_line asked;
  CLI::App app("Heat in a plate: Jacobi's method on workers that share the plate.");
  app.add_option("--size", asked.size, "Points in each direction")->check(CLI::Range(3, 100000))->capture_default_str();
  app.add_option("--workers", asked.workers)->check(CLI::Range(std::size_t{1}, kMaxRanks))->capture_default_str();
  app.add_option("--tolerance", asked.wanted.tolerance, "Steady is when no point changes by so much (degrees a step)")
      ->capture_default_str();
  app.add_option("--max-steps", asked.wanted.max_steps, "Stop after so many steps, counted from the first run");
  app.add_option("--picture", asked.picture, "Draw the plate into this file (.pgm, or .png in colour)");
  app.add_flag("--check", asked.check, "Compare with the serial solution");
  app.add_option("--name", asked.name, "Keep the plate in shared memory under this name, and carry on if it is there");
  app.add_flag("--keep", asked.keep, "Keep the named plate when it is steady, too");
  app.add_option("--kill-after", asked.wanted.kill_after, "Kill a worker in the middle of the step after so many");
  app.add_flag("--progress", asked.progress, "Say how far it is, also where stderr is no terminal");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  try {
    return solve_and_show(asked);
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return EXIT_FAILURE;
  }
}
