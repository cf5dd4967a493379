// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <new>

/// What every process of a scenario did, written where all of them see it, so that each item can be accounted for
/// whoever was killed.
namespace weir::tests {

inline constexpr int kMostPutters = 10;
inline constexpr int kItemsEach = 4000;
inline constexpr int kEndOfItems = -9;  // tells a taker that no more will come

/// Item `index` of putter `putter`.
constexpr int item_number(int putter, int index) noexcept { return putter * kItemsEach + index; }

inline std::int64_t monotonic_now() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Does it, and notes for how long after the death.
template <class Operation>
auto time_after_death(const std::atomic<std::int64_t>& died_ns, std::atomic<std::int64_t>& longest_ns,
                      Operation&& operation) {
  struct stopwatch {
    const std::atomic<std::int64_t>& died;
    std::atomic<std::int64_t>& longest;
    std::int64_t begin = monotonic_now();
    ~stopwatch() {
      const std::int64_t death = died.load();
      if (death == 0) return;
      const std::int64_t length = monotonic_now() - std::max(begin, death);
      std::int64_t seen = longest.load();
      while (length > seen && !longest.compare_exchange_weak(seen, length)) {
      }
    }
  } watch{died_ns, longest_ns};
  return operation();
}

struct ledger {
  std::array<std::atomic<int>, kMostPutters> begun;     // items that a putter has begun to put
  std::array<std::atomic<int>, kMostPutters> returned;  // of these, those whose put returned
  std::array<std::atomic<std::uint8_t>, static_cast<std::size_t>(kMostPutters* kItemsEach)> taken;
  std::array<std::atomic<std::uint8_t>, static_cast<std::size_t>(kMostPutters* kItemsEach)> refused;  // put said no
  std::atomic<int> torn;
  std::atomic<int> victim_has_recovered;  // and put and taken since
  std::atomic<int> prelude_sleeps;        // the one that dies asleep is
  std::atomic<int> victim_has_slept;      // or is about to, for the first time
  std::atomic<int> victim_views;          // what the victim reads where it lies, plus 1
  std::atomic<int> victim_has_let_go;     // the item of its take that has not returned is out of the channel
  std::atomic<int> putters_done;          // of those that live on
  std::atomic<std::int64_t> died_ns;      // 0: the victim lives
  std::atomic<std::int64_t> longest_ns;   // that anybody was held up after that

  void note_taken(int number) noexcept {
    if (number == kEndOfItems) return;
    if (number < 0 || number >= kMostPutters * kItemsEach) {
      ++torn;
    } else {
      ++taken[static_cast<std::size_t>(number)];
    }
  }
  [[nodiscard]] bool is_over() const noexcept { return died_ns.load() != 0; }

  template <class Operation>
  auto timed(Operation&& operation) {
    return time_after_death(died_ns, longest_ns, operation);
  }
};

class shared_ledger {
 public:
  shared_ledger()
      : at_(new (::mmap(nullptr, sizeof(ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) ledger{}) {
  }
  shared_ledger(const shared_ledger&) = delete;
  shared_ledger& operator=(const shared_ledger&) = delete;
  ~shared_ledger() { ::munmap(static_cast<void*>(at_), sizeof(ledger)); }
  ledger& operator*() const noexcept { return *at_; }
  ledger* operator->() const noexcept { return at_; }

 private:
  ledger* at_;
};

}  // namespace weir::tests
