// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

#include "sync/wait_layout.hpp"

namespace weir::sync {

/// Where this process's threads say what they sleep in; null: nowhere. Kept by each wait as long as it lasts. Any thread.
void set_wait_table(std::shared_ptr<wait_table> table) noexcept;

/// What a thread is about to sleep in. `object` is to live as long as the wait.
struct wait_note {
  wait_kind what = wait_kind::none;
  std::uint64_t number = 0;  ///< for traces: of the channel's or array's file, or of a worker
  std::uint32_t process = 0;
  std::uint32_t owner = 0;
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  std::string_view object = {};
  std::chrono::steady_clock::time_point until = std::chrono::steady_clock::time_point::max();
};

/// The calling thread's entry in the table while this lives; none if the table is full, or there is none. Costs about
/// 100 ns: for threads that are about to sleep, not for those that may not have to.
class noted_wait {
 public:
  explicit noted_wait(const wait_note& note) noexcept;
  noted_wait(const noted_wait&) = delete;
  noted_wait& operator=(const noted_wait&) = delete;
  ~noted_wait();

 private:
  std::shared_ptr<wait_table> table_;
  wait_entry* entry_ = nullptr;
};

/// The calling thread, one of the runtime's, has nothing to do while this lives.
class idle_mark {
 public:
  idle_mark() noexcept;
  /// For a thread that begins before its process has a table.
  explicit idle_mark(std::shared_ptr<wait_table> table) noexcept;
  idle_mark(const idle_mark&) = delete;
  idle_mark& operator=(const idle_mark&) = delete;
  ~idle_mark();

 private:
  std::shared_ptr<wait_table> table_;
  std::atomic<std::int32_t>* entry_ = nullptr;
};

}  // namespace weir::sync
