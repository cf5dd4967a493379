// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "array/array_core.hpp"
#include "segment/process_identity.hpp"
#include "weir/detail/crash_point.hpp"
#include "weir/error.hpp"

namespace weir::detail {
namespace {

constexpr std::size_t kAllSeats = arrays::kSeats * arrays::kSeatBytes;

}  // namespace

array_core::array_core(shm::segment mapped, const arrays::checked_constants& constants)
    : segment_(std::move(mapped)),
      constants_(constants),
      header_(segment_.at<arrays::array_header>(arrays::kHeaderOffset)),
      seats_(segment_.at<arrays::seat>(arrays::kSeatsOffset)),
      data_(segment_.base() + constants.data_offset) {
  take_seat();
}

array_core::array_core(shm::segment mapped, const arrays::checked_constants& constants, shm::unique_fd file,
                       boost::interprocess::mapped_region elements)
    : segment_(std::move(mapped)),
      constants_(constants),
      header_(segment_.at<arrays::array_header>(arrays::kHeaderOffset)),
      seats_(segment_.at<arrays::seat>(arrays::kSeatsOffset)),
      file_(std::move(file)),
      file_region_(std::move(elements)),
      file_account_(file_region_.get_size()),
      data_(static_cast<std::byte*>(file_region_.get_address()) + constants.data_offset) {
  take_seat();
}

array_core::~array_core() {
  if (!forked_.load(std::memory_order_relaxed) && !has_left_) leave();
}

void array_core::take_seat() {
  // All seats are taken for a moment by one who leaves and looks whether anybody is left.
  constexpr int kTries = 1000;
  std::uint32_t mine = arrays::kSeats;
  for (int tries = 0; mine == arrays::kSeats; ++tries) {
    if (tries == kTries) {
      throw no_space(
          fmt::format("weir: open array \"{}\": {} processes use it already", segment_.name(), arrays::kSeats));
    }
    if (tries > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    mine = 0;
    while (mine < arrays::kSeats && !segment_.show_life(arrays::byte_of_seat(mine))) ++mine;
    if (segment_.header().removed.load(std::memory_order_acquire) != 0) break;
  }
  WEIR_CRASH_POINT("array.seat.locked");
  if (segment_.header().removed.load(std::memory_order_acquire) != 0) {
    throw not_found(fmt::format("weir: open array \"{}\": it was removed just now", segment_.name()));
  }
  constexpr std::uint32_t kSeatsInPage = shm::kPage / arrays::kSeatBytes;
  if (mine / kSeatsInPage != 0) {
    segment_.reserve("open array", arrays::kSeatsOffset + mine / kSeatsInPage * shm::kPage, shm::kPage);
  }
  arrays::seat& s = seats_[mine];
  s.who = shm::this_process();
  s.process = my_id();
  s.attached_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  WEIR_CRASH_POINT("array.seat.described");
  // Whoever takes off what the dead have left compares: it loses against this.
  std::uint64_t seen = s.shares.load(std::memory_order_relaxed);
  while (!s.shares.compare_exchange_weak(seen, arrays::next_generation(seen), std::memory_order_acq_rel)) {
  }
  WEIR_CRASH_POINT("array.seat.taken");
  std::uint32_t high = header_->seats_high.load(std::memory_order_relaxed);
  while (high <= mine && !header_->seats_high.compare_exchange_weak(high, mine + 1, std::memory_order_seq_cst)) {
  }
  WEIR_CRASH_POINT("array.seat.high");
  seat_ = mine;
}

/// Nobody else has the array, and nobody gets it as long as we have all seats.
bool array_core::lock_all_seats() noexcept {
  segment_.stop_showing_life(arrays::byte_of_seat(seat_));
  WEIR_CRASH_POINT("array.seat.left");
  return segment_.show_life(arrays::byte_of_seat(0), kAllSeats);
}

bool array_core::remove_if_alone(std::int32_t most_pins) noexcept {
  has_left_ = true;
  if (!lock_all_seats()) return false;
  const bool goes = header_->pins.load(std::memory_order_seq_cst) <= most_pins;
  WEIR_CRASH_POINT("array.alone");
  if (goes) {
    segment_.remove_own_name();
    give_elements_back();
  }
  // A child that was forked meanwhile would keep the lock.
  segment_.stop_showing_life(arrays::byte_of_seat(0), kAllSeats);
  WEIR_CRASH_POINT("array.left");
  return goes;
}

/// True: the array has gone.
bool array_core::leave() noexcept {
  WEIR_CRASH_POINT("array.leaving");
  if (segment_.header().named == 0) return remove_if_alone(0);
  if (segment_.has_its_name()) {
    segment_.stop_showing_life(arrays::byte_of_seat(seat_));
    return false;
  }
  if (lock_all_seats()) {
    segment_.header().removed.store(1, std::memory_order_release);  // pairs with the acquire in take_seat()
    give_elements_back();
  }
  segment_.stop_showing_life(arrays::byte_of_seat(0), kAllSeats);
  return true;
}

/// Of an array that nobody has, nor can get any more; but some processes may have it parked.
void array_core::give_elements_back() noexcept {
  if (constants_.file_bound) return;
  segment_.give_back(arrays::kDataOffset, segment_.bytes() - arrays::kDataOffset);
}

std::optional<shm::segment> array_core::leave_and_release() noexcept {
  if (has_left_ || forked_.load(std::memory_order_relaxed)) return std::nullopt;
  has_left_ = true;
  if (leave() || constants_.file_bound) return std::nullopt;
  return std::move(segment_);
}

void array_core::refuse_forked() const {
  throw invalid_argument(
      fmt::format("weir: array \"{}\": this handle came through fork() and is not valid here (open the array again)",
                  segment_.name()));
}

void array_core::throw_corrupt(std::string_view why) const {
  throw corrupt_segment(fmt::format("weir: array \"{}\": {}", segment_.name(), why));
}

std::uint64_t array_core::rows() const {
  const std::uint64_t rows = header_->rows.load(std::memory_order_acquire);  // pairs with resize_rows()
  if (rows == 0 || rows > constants_.max_rows) {
    throw_corrupt(fmt::format("it has {} rows, which must be 1 to {}", rows, constants_.max_rows));
  }
  return rows;
}

}  // namespace weir::detail
