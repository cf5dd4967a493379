// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <boost/interprocess/mapped_region.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "array/array_layout.hpp"
#include "segment/segment.hpp"
#include "sync/patience.hpp"
#include "trace/recorder.hpp"
#include "weir/array_mutex.hpp"
#include "weir/detail/array_core.hpp"

namespace weir::detail {

/// This process's attachment to one array, shared by all its handles: holds a seat.
class array_core {
 public:
  /// Takes a seat. Throws not_found if the array is being removed, no_space.
  array_core(shm::segment mapped, const arrays::checked_constants& constants);
  /// Of an array whose elements lie in a file.
  array_core(shm::segment mapped, const arrays::checked_constants& constants, shm::unique_fd file,
             boost::interprocess::mapped_region elements);
  array_core(const array_core&) = delete;
  array_core& operator=(const array_core&) = delete;
  /// Leaves the seat; removes an array that lives no longer than its handles, if this was the last.
  ~array_core();

  [[nodiscard]] const shm::segment& segment() const noexcept { return segment_; }
  [[nodiscard]] shm::segment& segment() noexcept { return segment_; }
  [[nodiscard]] const arrays::checked_constants& constants() const noexcept { return constants_; }
  [[nodiscard]] arrays::array_header& header() const noexcept { return *header_; }
  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] array_mutex& mutex() noexcept { return mutex_; }
  /// The first extent now. Throws corrupt_segment.
  [[nodiscard]] std::uint64_t rows() const;
  /// Throws in a forked child.
  void expect_not_forked() const {
    if (forked_.load(std::memory_order_relaxed)) refuse_forked();
  }
  void mark_forked() noexcept { forked_.store(true, std::memory_order_relaxed); }

  /// Gives memory to bytes of the elements. Throws no_space.
  void reserve(std::string_view operation, std::size_t first_byte, std::size_t bytes);
  void resize_rows(std::uint64_t rows);

  // ---- the lock (lock.cpp)

  [[nodiscard]] bool acquire(deadline until);
  void release() noexcept;
  [[nodiscard]] bool acquire_shared(deadline until);
  void release_shared() noexcept;
  [[nodiscard]] bool take_owner_died();

  /// Removes the name unless another process has the array, or more than `most_pins` references keep it; this one lets
  /// go of its seat, and is not to be used any more.
  bool remove_if_alone(std::int32_t most_pins) noexcept;
  /// Leaves as the destructor does, and returns what stays mapped; nothing: it is of no use any more.
  [[nodiscard]] std::optional<shm::segment> leave_and_release() noexcept;

  [[noreturn]] void throw_corrupt(std::string_view why) const;

 private:
  /// Before a wait, which is recorded by number.
  void name_in_trace() const noexcept {
    if (trace::is_on()) trace::name(trace::name_kind::array, segment_.file_number(), segment_.name());
  }
  void take_seat();
  bool leave() noexcept;
  bool lock_all_seats() noexcept;
  void give_elements_back() noexcept;
  [[noreturn]] void refuse_forked() const;

  /// Of one that is held and does not come: throws corrupt_segment if it never will, invalid_argument if we have it.
  void check_holder(const sync::robust_mutex& mutex) const;
  [[nodiscard]] bool lock_gate(deadline until);
  [[nodiscard]] bool wait_for_sharers(deadline until);
  [[nodiscard]] bool is_shared() const noexcept;
  [[nodiscard]] bool is_free_of_the_dead();
  [[nodiscard]] bool is_dead(std::uint32_t seat) const;

  shm::segment segment_;
  arrays::checked_constants constants_;
  arrays::array_header* header_;
  arrays::seat* seats_;
  shm::unique_fd file_;                             // file_bound
  boost::interprocess::mapped_region file_region_;  // file_bound
  shm::mapped_account file_account_;
  std::byte* data_;
  std::uint32_t seat_ = 0;
  bool has_left_ = false;
  std::atomic<bool> forked_{false};
  sync::wait_estimate for_gate_;
  sync::wait_estimate for_sharers_;
  array_mutex mutex_{*this};
};

}  // namespace weir::detail
