// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <algorithm>
#include <system_error>

#include "array/array_core.hpp"
#include "sync/blocking.hpp"
#include "sync/futex.hpp"
#include "sync/thread_id.hpp"
#include "weir/detail/crash_point.hpp"
#include "weir/error.hpp"

namespace weir::detail {

/// The gate. Whoever finds `writer` set there has it from one who died with the array to himself.
bool array_core::lock_gate(deadline until) {
  sync::robust_mutex& gate = header_->gate;
  if (!gate.is_sound()) throw_corrupt("its lock is not a mutex that weir made");
  const auto have_it = [&] {
    if (header_->writer.load(std::memory_order_relaxed) != 0) {
      WEIR_CRASH_POINT("array.lock.inherited");
      header_->owner_died.store(1, std::memory_order_relaxed);
      WEIR_CRASH_POINT("array.lock.marked");
    }
    static_cast<void>(gate.take_damage());  // `writer` says more
    return true;
  };
  try {
    if (gate.try_lock()) return have_it();
    if (until.is_at_once()) return false;
    for (sync::patience patience(for_gate_); patience.pause();) {
      if (gate.holder() == 0 && gate.try_lock()) {
        patience.paid();
        return have_it();
      }
    }
    name_in_trace();
    sync::blocking_scope blocking({.what = sync::wait_kind::array_lock,
                                   .number = segment_.file_number(),
                                   .object = segment_.name(),
                                   .until = until.when()});
    for (;;) {
      std::chrono::nanoseconds length = sync::kLongestSleep;
      if (!until.is_never()) {
        length = std::min<std::chrono::nanoseconds>(length, until.when() - deadline::clock::now());
        if (length.count() <= 0) return false;
      }
      blocking.about_to_sleep();
      if (gate.try_lock_for(length)) return have_it();
      check_holder(gate);
    }
  } catch (const std::system_error& e) {
    throw_corrupt(fmt::format("its lock cannot be had: {}", e.what()));
  }
}

/// It is held. By a thread that has not mapped the segment? The kernel takes it away from one that dies.
void array_core::check_holder(const sync::robust_mutex& mutex) const {
  if (!mutex.is_sound()) throw_corrupt("its lock is not a mutex that weir made");
  const std::int32_t thread = mutex.holder();
  if (thread == 0) return;
  if (thread == sync::thread_id()) {
    throw invalid_argument(fmt::format("weir: lock array \"{}\": this thread has it locked already", segment_.name()));
  }
  const std::uint32_t our_namespace = shm::this_process().pid_namespace;
  if (segment_.header().creator.pid_namespace != our_namespace) return;
  const std::uint32_t high = std::min(header_->seats_high.load(std::memory_order_relaxed), arrays::kSeats);
  for (std::uint32_t seat = 0; seat < high; ++seat) {
    const shm::process_identity who = seats_[seat].who;
    if (who.pid_namespace != our_namespace && segment_.sees_life(arrays::byte_of_seat(seat))) return;
  }
  if (shm::look_for_mapping(thread, segment_.file_number()) == shm::mapping::has_not && mutex.holder() == thread) {
    throw_corrupt(fmt::format("its lock is said to be held by thread {}, which does not use it", thread));
  }
}

/// Certainly: nobody has the seat's byte locked, or who has is a child of the dead. Our own is not seen.
bool array_core::is_dead(std::uint32_t seat) const {
  if (seat == seat_) return false;
  return !segment_.sees_life(arrays::byte_of_seat(seat)) || shm::is_dead(seats_[seat].who);
}

bool array_core::is_shared() const noexcept {
  const std::uint32_t high = std::min(header_->seats_high.load(std::memory_order_seq_cst), arrays::kSeats);
  return std::any_of(seats_, seats_ + high, [](const arrays::seat& each) {
    return arrays::sharers_of(each.shares.load(std::memory_order_seq_cst)) != 0;
  });
}

/// Takes off what the dead have left; false: the living share it.
bool array_core::is_free_of_the_dead() {
  const std::uint32_t high = std::min(header_->seats_high.load(std::memory_order_seq_cst), arrays::kSeats);
  for (std::uint32_t seat = 0; seat < high; ++seat) {
    std::uint64_t shares = seats_[seat].shares.load(std::memory_order_seq_cst);
    if (arrays::sharers_of(shares) == 0 || !is_dead(seat)) continue;
    WEIR_CRASH_POINT("array.share.clearing");
    // Fails if the seat has become somebody else's: it was not his share that was seen.
    seats_[seat].shares.compare_exchange_strong(shares, shares - arrays::sharers_of(shares), std::memory_order_seq_cst);
    WEIR_CRASH_POINT("array.share.cleared");
  }
  return !is_shared();
}

bool array_core::wait_for_sharers(deadline until) {
  if (!is_shared()) return true;
  if (until.is_at_once()) return is_free_of_the_dead();
  for (sync::patience patience(for_sharers_); patience.pause();) {
    if (!is_shared()) {
      patience.paid();
      return true;
    }
  }
  name_in_trace();
  sync::blocking_scope blocking({.what = sync::wait_kind::array_sharers,
                                 .number = segment_.file_number(),
                                 .object = segment_.name(),
                                 .until = until.when()});
  for (;;) {
    const std::uint32_t seen = header_->drained.prepare();
    if (!is_shared() || is_free_of_the_dead()) return true;
    if (until.has_passed()) return false;
    blocking.about_to_sleep();
    header_->drained.sleep(seen, until.is_never() ? deadline::clock::now() + sync::kLongestSleep : until.when());
  }
}

bool array_core::acquire(deadline until) {
  expect_not_forked();
  if (!lock_gate(until)) return false;
  WEIR_CRASH_POINT("array.lock.gate");
  // Sequentially consistent, as the sharers' +1: one of the two sees the other.
  header_->writer.store(1, std::memory_order_seq_cst);
  WEIR_CRASH_POINT("array.lock.writer");
  bool alone = false;
  try {
    alone = wait_for_sharers(until);
  } catch (...) {
    release();
    throw;
  }
  if (!alone) {
    release();
    return false;
  }
  WEIR_CRASH_POINT("array.lock.held");
  return true;
}

void array_core::release() noexcept {
  if (forked_.load(std::memory_order_relaxed)) return;  // its parent has it
  WEIR_CRASH_POINT("array.lock.releasing");
  header_->writer.store(0, std::memory_order_seq_cst);
  WEIR_CRASH_POINT("array.lock.released");
  header_->gate.unlock();
}

bool array_core::acquire_shared(deadline until) {
  expect_not_forked();
  std::atomic<std::uint64_t>& mine = seats_[seat_].shares;
  mine.fetch_add(1, std::memory_order_seq_cst);
  WEIR_CRASH_POINT("array.share.counted");
  if (header_->writer.load(std::memory_order_seq_cst) == 0) return true;
  release_shared();
  // With the gate in hand nobody has the array alone, nor is about to.
  if (!lock_gate(until)) return false;
  header_->writer.store(0, std::memory_order_seq_cst);  // a dead one's
  WEIR_CRASH_POINT("array.share.gate");
  mine.fetch_add(1, std::memory_order_seq_cst);
  WEIR_CRASH_POINT("array.share.entered");
  header_->gate.unlock();
  return true;
}

void array_core::release_shared() noexcept {
  if (forked_.load(std::memory_order_relaxed)) return;
  WEIR_CRASH_POINT("array.share.releasing");
  seats_[seat_].shares.fetch_sub(1, std::memory_order_seq_cst);
  WEIR_CRASH_POINT("array.share.released");
  if (header_->writer.load(std::memory_order_seq_cst) != 0) header_->drained.signal();
}

bool array_core::take_owner_died() {
  expect_not_forked();
  return header_->owner_died.exchange(0, std::memory_order_seq_cst) != 0;
}

}  // namespace weir::detail

namespace weir {

bool array_mutex::acquire(detail::deadline until) { return core_.acquire(until); }
void array_mutex::unlock() noexcept { core_.release(); }
bool array_mutex::acquire_shared(detail::deadline until) { return core_.acquire_shared(until); }
void array_mutex::unlock_shared() noexcept { core_.release_shared(); }
bool array_mutex::owner_died() { return core_.take_owner_died(); }

}  // namespace weir
