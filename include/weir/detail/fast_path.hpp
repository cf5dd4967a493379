// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "weir/detail/ring.hpp"
#include "weir/detail/slot_layout.hpp"

namespace weir::detail {

/// Wakes up to `count` of those who sleep on the event and have not been woken yet.
void wake_some(channels::event& event, std::size_t count) noexcept;

/// The rest of a waker's look at an event whose word is not zero below the epoch: fences, and returns how many sleep that
/// have not been woken yet. `calm` counts this process's looks that found it fenced for nobody; after many the fences are
/// no longer asked for.
[[nodiscard]] std::size_t look_again(channels::event& event, std::atomic<std::uint32_t>& calm) noexcept;

/// An attached channel as put and take see it that need not wait, of items that lie in the slots: compiled into the
/// caller. All else (waiting, the closed channel, what the dead left behind) is channel_core, which is made of this.
/// A channel's items are either all of one size (put_fixed, take_fixed) or of any (put_piece, take_piece).
/// Each returns false if it has done nothing: then channel_core goes on.
/// Threads: as channel_core. Crash: see slot_layout.hpp.
class fast_path {
 public:
  /// `bytes` is the size that all items have. `tell`: wake a taker that sleeps, as wake_takers() does for many.
  [[nodiscard]] bool put_fixed(const void* item, std::size_t bytes, bool tell = true) noexcept {
    return put_in_slot<false>(tell, [&](const channels::ring::place& p) { std::memcpy(p.fixed_item(), item, bytes); });
  }
  [[nodiscard]] bool take_fixed(void* item, std::size_t bytes) noexcept {
    channels::ring::place p;
    if (!may_take() || !ring_.claim_next_take(me_, p)) return false;
    std::memcpy(item, p.fixed_item(), bytes);
    release(p);
    return true;
  }

  [[nodiscard]] bool put_piece(const void* item, std::size_t bytes, bool tell = true) noexcept {
    if (bytes > most_in_slot_) return false;
    return put_in_slot<true>(tell, [&](const channels::ring::place& p) {
      if (bytes != 0) std::memcpy(p.piece(), item, bytes);
      WEIR_CRASH_POINT("ring.put.copied");
      p.at->meta.store(channels::make_meta(channels::kNoBlock, 0, bytes), std::memory_order_relaxed);
    });
  }
  /// Takes an item by `read(bytes)`, which must not throw, once `expect(how many bytes)` has said true. `expect` may
  /// throw, and may be asked about an item that another then takes.
  template <class Expect, class Read>
  [[nodiscard]] bool take_piece(Expect&& expect, Read&& read) {
    channels::ring::place p;
    std::size_t bytes = 0;
    if (!claim_piece(p, bytes, expect)) return false;
    read(std::span<const std::byte>(p.piece(), bytes));
    release(p);
    return true;
  }
  /// Takes an item that then is read where it lies, at `p`, until end_view().
  template <class Expect>
  [[nodiscard]] bool take_view(channels::ring::place& p, std::size_t& bytes, Expect&& expect) {
    if (!claim_piece(p, bytes, expect)) return false;
    let_view(p, bytes);
    return true;
  }
  /// For who found nothing to take: spins until something may have come, as long as that pays. After that this way finds
  /// the item sooner than the general way does, whose code is longer and not in the caller.
  enum class spun {
    item,       ///< something has come: this way is worth another try
    vainly,     ///< nothing has; who goes on by the general way need not spin again
    not_at_all  ///< or hardly: the general way is the better one
  };
  [[nodiscard]] spun spin_for_item() noexcept;  // spin.cpp

  /// False: not by this way. The channel is not touched after that, and may be gone.
  [[nodiscard]] bool end_view(channels::slot& at, std::uint64_t turn) noexcept {
    if (!ends_views_.load(std::memory_order_relaxed)) return false;
    end_view_at(at, turn);
    return true;
  }

  fast_path(const fast_path&) = delete;
  fast_path& operator=(const fast_path&) = delete;

 protected:
  fast_path() = default;
  ~fast_path() = default;

  [[nodiscard]] bool may_take() const noexcept {
    return is_open_.load(std::memory_order_relaxed) && orphans_->load(std::memory_order_acquire) == 0;
  }
  template <bool Viewable, class Write>
  bool put_in_slot(bool tell, Write&& write) noexcept {
    if (!is_open_.load(std::memory_order_relaxed) || closed_->load(std::memory_order_relaxed) != 0) return false;
    channels::ring::place p;
    if (!ring_.claim_next_put<Viewable>(me_, p)) return false;
    if (closed_->load(std::memory_order_seq_cst) != 0) {  // meanwhile: takers may have found nothing and gone
      ring_.abandon(p);
      wake_some(*not_empty_, INT_MAX);
      return false;
    }
    write(p);
    ring_.publish_unfenced(p);
    if (tell && may_be_slept_on(*not_empty_)) wake_takers_of(p);
    return true;
  }
  /// Asks for the lines of an item behind the slot's first, all at once and before the claim, which is a barrier: each
  /// would be waited for after that. Never touches what is not there.
  static void ask_for_rest(const std::byte* item, std::size_t bytes) noexcept {
    for (std::size_t at = channels::kLine - channels::kPiece; at < bytes; at += channels::kLine) {
      __builtin_prefetch(item + at);
    }
  }
  template <class Expect>
  bool claim_piece(channels::ring::place& p, std::size_t& bytes, Expect& expect) {
    if (!may_take()) return false;
    p = ring_.next_take();
    __builtin_prefetch(p.at, 1);
    if (!ring_.is_full(p)) return false;
    // If these are no longer the full slot's by now, the claim fails.
    const std::uint64_t meta = p.at->meta.load(std::memory_order_relaxed);
    bytes = channels::meta_bytes(meta);
    ask_for_rest(p.piece(), bytes);
    const bool lies_here = channels::meta_block(meta) == channels::kNoBlock && channels::meta_flags(meta) == 0;
    return lies_here && bytes <= most_in_slot_ && expect(bytes) && ring_.claim_take_at(p, me_);
  }
  /// Of an item in a slot that we have claimed. Who waits for room can have the slot from now on.
  void let_view(const channels::ring::place& p, std::size_t bytes) noexcept {
    using namespace channels;
    if (!lets_views_.load(std::memory_order_relaxed)) lets_views_.store(true, std::memory_order_relaxed);
    WEIR_CRASH_POINT("view.marking");
    p.at->view.store(make_view(p.turn, bytes, view_phase::viewing, me_), std::memory_order_relaxed);
    WEIR_CRASH_POINT("view.marked");
    ring_.let_view(p, me_);
    if (may_be_slept_on(*not_full_)) wake_putters_of(p);
  }
  /// The last store is the one that shows it: retire() unmaps the channel when there is no view any more.
  void end_view_at(channels::slot& at, std::uint64_t turn) noexcept {
    ring_.end_view(at, turn, me_);
    WEIR_CRASH_POINT("view.ended");
    at.view.store(0, std::memory_order_release);  // pairs with the putters' look before they claim the slot
    WEIR_CRASH_POINT("view.cleared");
  }
  void release(const channels::ring::place& p) noexcept {
    ring_.release_slot_unfenced(p);
    if (may_be_slept_on(*not_full_)) wake_putters_of(p);
  }
  static bool may_be_slept_on(const channels::event& event) noexcept {
    // The store before this may still be on its way when the word is read: see channels::event.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return static_cast<std::uint32_t>(event.word.load(std::memory_order_relaxed)) != 0;
  }
  // Items that come after this one may have been put before it. Whoever was woken for them found this one missing and sleeps
  // again, so as many are woken as there are items in a row; likewise with slots that were given back. event.cpp
  void wake_takers_of(const channels::ring::place& put) noexcept;
  void wake_putters_of(const channels::ring::place& taken) noexcept;

  channels::ring ring_;
  std::uint32_t me_ = 0;  // our entry among the participants
  // This way: not for items of one size that do not fit the slots, for a rendezvous, in a forked child, where heavy
  // fences do not reach.
  std::atomic<bool> is_open_{false};
  std::atomic<bool> ends_views_{true};   // false: in a forked child, and when the last handle has gone
  std::atomic<bool> lets_views_{false};  // there may be views of items in slots
  std::size_t most_in_slot_ = 0;         // bytes of an item that lies in its slot
  std::atomic<std::uint32_t>* closed_ = nullptr;
  std::atomic<std::uint32_t>* orphans_ = nullptr;
  channels::event* not_empty_ = nullptr;
  channels::event* not_full_ = nullptr;

  // Apart, because different threads write them.
  alignas(channels::kApart) std::atomic<std::uint32_t> calm_puts_{0};
  alignas(channels::kApart) std::atomic<std::uint32_t> calm_takes_{0};
};

}  // namespace weir::detail
