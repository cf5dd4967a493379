// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include "ledger.hpp"
#include "weir/detail/crash_point.hpp"

/// What a victim does at the points of the library's code: it dies at one of them, and notes some on the way there.
namespace weir::tests {

struct planned_end {
  static inline std::array<char, 64> point{};
  static inline int hits_left = 0;
  static inline ledger* notes = nullptr;
  static inline bool items_in_blocks = false;
  static inline void (*at_claim)() = nullptr;  // done once, when a putter has claimed a slot

  static void plan(std::string_view at, int hit) {
    point.fill('\0');
    at.copy(point.data(), point.size() - 1);
    hits_left = hit;
    shm::g_at_crash_point = &look;
  }
  /// For who is to be killed once it sleeps, entered and counted.
  static void note_sleep(const char* name) noexcept {
    if (std::strcmp(name, "waiter.ready") == 0) notes->prelude_sleeps = 1;
  }
  static void look(const char* name) noexcept {
    if (notes != nullptr && is_out(name)) notes->victim_has_let_go = 1;
    if (notes != nullptr && std::strcmp(name, "waiter.ready") == 0) notes->victim_has_slept = 1;
    if (at_claim != nullptr && std::strcmp(name, "ring.put.claimed") == 0) std::exchange(at_claim, nullptr)();
    if (std::strcmp(name, point.data()) == 0 && --hits_left == 0) ::raise(SIGKILL);
  }

 private:
  /// From here on the item of a take that copies it is in no other's reach. The victim resets the note before each take.
  static bool is_out(const char* name) noexcept {
    if (std::strcmp(name, "block.released") == 0 || std::strcmp(name, "block.shrinking") == 0) return true;
    return !items_in_blocks && std::strcmp(name, "ring.take.released") == 0;
  }
};

/// From now on this process dies at the `hit`-th passing of `point`.
inline void plan_end(std::string_view point, int hit, ledger& notes) {
  planned_end::notes = &notes;
  planned_end::plan(point, hit);
}

}  // namespace weir::tests
