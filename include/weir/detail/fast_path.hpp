// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "weir/detail/ring.hpp"
#include "weir/detail/slot_layout.hpp"

namespace weir::detail {

/// Wakes up to `count` of those who sleep on the event and have not been woken yet.
void wake_some(channels::event& event, std::size_t count) noexcept;

/// An attached channel as put and take see it that need not wait, of items that lie in the slots: compiled into the
/// caller. All else (waiting, the closed channel, what the dead left behind) is channel_core, which is made of this.
/// Threads: as channel_core. Crash: see slot_layout.hpp.
class fast_path {
 public:
  /// Puts an item of the channel's fixed size. False: nothing has been put; channel_core::put_fixed knows why.
  template <class T>
  [[nodiscard]] bool put(const T& item) noexcept {
    if (!is_open_.load(std::memory_order_relaxed) || closed_->load(std::memory_order_relaxed) != 0) return false;
    channels::ring::place p;
    if (!ring_.claim_next_put(me_, p)) {
      puts_in_a_row_.store(0, std::memory_order_relaxed);
      return false;
    }
    if (closed_->load(std::memory_order_seq_cst) != 0) {  // meanwhile: takers may have found nothing and gone
      ring_.abandon(p);
      wake_some(*not_empty_, INT_MAX);
      return false;
    }
    std::memcpy(p.item(), &item, sizeof item);
    ring_.publish(p);
    if (channels::wants_waking(not_empty_->word.load(std::memory_order_seq_cst))) wake_some(*not_empty_, 1);
    look_ahead(p, puts_in_a_row_);
    return true;
  }

  /// Takes one. False: nothing has been taken; channel_core::take_fixed knows why.
  template <class T>
  [[nodiscard]] bool take(T& item) noexcept {
    if (!is_open_.load(std::memory_order_relaxed) || orphans_->load(std::memory_order_acquire) != 0) return false;
    channels::ring::place p;
    if (!ring_.claim_next_take(me_, p)) {
      takes_in_a_row_.store(0, std::memory_order_relaxed);
      return false;
    }
    std::memcpy(&item, p.item(), sizeof item);
    ring_.release_slot(p);
    if (channels::wants_waking(not_full_->word.load(std::memory_order_seq_cst))) wake_some(*not_full_, 1);
    look_ahead(p, takes_in_a_row_);
    return true;
  }

  fast_path(const fast_path&) = delete;
  fast_path& operator=(const fast_path&) = delete;

 protected:
  fast_path() = default;
  ~fast_path() = default;

  channels::ring ring_;
  std::uint32_t me_ = 0;              // our entry among the participants
  std::atomic<bool> is_open_{false};  // this way: off for items in blocks, for a rendezvous, and in a forked child
  std::atomic<std::uint32_t>* closed_ = nullptr;
  std::atomic<std::uint32_t>* orphans_ = nullptr;
  channels::event* not_empty_ = nullptr;
  channels::event* not_full_ = nullptr;

 private:
  // How many slots ahead a line is asked for, and after how many successes in a row: then the other side is further
  // ahead than that, or further behind, and not about to write that line itself.
  static constexpr std::uint32_t kAhead = 4;
  static constexpr std::uint32_t kSure = 8;

  void look_ahead(const channels::ring::place& p, std::atomic<std::uint32_t>& in_a_row) noexcept {
    const std::uint32_t so_far = in_a_row.load(std::memory_order_relaxed);
    if (so_far < kSure) {
      in_a_row.store(so_far + 1, std::memory_order_relaxed);
    } else if (ring_.count() > 2 * kSure) {
      ring_.prefetch_after(p, kAhead);
    }
  }

  alignas(channels::kApart) std::atomic<std::uint32_t> puts_in_a_row_{0};
  alignas(channels::kApart) std::atomic<std::uint32_t> takes_in_a_row_{0};
};

}  // namespace weir::detail
