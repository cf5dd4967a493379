// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "weir/ids.hpp"

/// What every process of the storm did, in a file that all of them map; the dead leave it as it was at that instant.
namespace weir::tests {

inline constexpr std::size_t kMostItems = std::size_t{1} << 27U;  // sparse: a byte each, used one after the other
inline constexpr std::size_t kMostCalls = std::size_t{1} << 22U;
inline constexpr std::size_t kMostLives = std::size_t{1} << 20U;
inline constexpr std::int32_t kEndOfItems = -9;

enum class put_state : std::uint8_t { none = 0, begun = 1, returned = 2 };
enum class call_end : std::uint8_t { open = 0, returned = 1, failed = 2 };

/// One process, from its start to its end.
struct life {
  std::atomic<std::int32_t> views;   // item that it reads where it lies, plus 1
  std::atomic<std::int32_t> taking;  // 1: inside a take that copies
  std::atomic<std::uint32_t> stops;  // times that it was stopped
  std::atomic<std::uint32_t> killed;
};

struct storm_ledger {
  std::atomic<int> over;
  std::atomic<std::uint32_t> next_item, next_call, next_life;
  std::atomic<std::uint64_t> kills, stops, puts, takes, calls, failed_calls;
  std::atomic<std::uint32_t> torn, wrong_answers, unexpected;
  std::atomic<std::int64_t> longest_ns;  // that anybody waited who was not stopped meanwhile
  std::array<std::atomic<process_id>, 2> callees;
  std::array<life, kMostLives> lives;
  std::array<std::atomic<put_state>, kMostItems> put;
  std::array<std::atomic<std::uint8_t>, kMostItems> taken;
  std::array<std::atomic<std::uint8_t>, kMostCalls> run;
  std::array<std::atomic<call_end>, kMostCalls> ended;

  /// Does it, and notes how long it took unless the process was stopped meanwhile.
  template <class Operation>
  auto timed(const life& own, Operation&& operation) {
    struct stopwatch {
      storm_ledger& notes;
      const life& own;
      std::uint32_t stops = own.stops.load();
      std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
      ~stopwatch() {
        const auto length = std::chrono::steady_clock::now() - begin;
        if (own.stops.load() != stops) return;
        const std::int64_t ns = std::chrono::duration_cast<std::chrono::nanoseconds>(length).count();
        std::int64_t seen = notes.longest_ns.load();
        while (ns > seen && !notes.longest_ns.compare_exchange_weak(seen, ns)) {
        }
      }
    } watch{*this, own};
    return operation();
  }
};

/// Mapped from `path`, an ordinary file that is made if it is not there. Throws std::runtime_error.
storm_ledger& map_storm_ledger(const std::string& path);

}  // namespace weir::tests
