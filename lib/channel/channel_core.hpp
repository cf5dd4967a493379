// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "channel/block_pool.hpp"
#include "channel/channel_layout.hpp"
#include "segment/segment.hpp"
#include "sync/blocking.hpp"
#include "sync/patience.hpp"
#include "trace/recorder.hpp"
#include "weir/detail/channel_core.hpp"
#include "weir/detail/fast_path.hpp"
#include "weir/error.hpp"

namespace weir::detail {

namespace ch = weir::channels;
class selector;  // select.cpp
using ring_place = ch::ring::place;

/// One channel attached to this process: its mapping, this process's entry among the participants, and the operations,
/// spread over attach.cpp (entering and leaving), put.cpp, take.cpp, look.cpp (fetch, peek, state), wait.cpp and
/// recovery.cpp. The puts and takes of small items that need not wait are fast_path's. Shared by all handles of the process; every member may be called by any thread.
class channel_core : public std::enable_shared_from_this<channel_core>, public fast_path {
 public:
  /// Takes over a mapped channel and enters its participants. Throws not_found (removed meanwhile), no_space.
  channel_core(shm::segment mapped, const ch::checked_constants& constants);
  /// Leaves; an unnamed channel that nobody holds any more is removed.
  ~channel_core();
  channel_core(const channel_core&) = delete;
  channel_core& operator=(const channel_core&) = delete;

  /// Removes the name if nobody else who lives is attached and no more than so many references are under way.
  bool remove_if_alone(std::int32_t most_pins);

  // put.cpp
  bool put_fixed(const void* item, std::size_t bytes, deadline until, wake when);
  struct offer;
  /// With `left`, a put to a rendezvous does not wait for a taker to come: it returns with the item in the slot.
  bool put(const payload& item, deadline until, wake when, offer* left = nullptr);
  loaned_block loan(std::size_t bytes);
  bool put(loaned_block& item, std::size_t bytes, deadline until);
  void return_loan(std::uint32_t block) noexcept;
  void wake_takers(std::size_t items) noexcept;

  // offer.cpp
  /// An item that put() has left in the slot of a rendezvous; `place.at` is null if there is none.
  struct offer {
    ring_place place;
    loaned_block block;  // of a large item
  };
  enum class offer_state { lies_there, picked_up, withdrawn };
  /// Whether takers sleep here, besides `own` entries of the caller.
  [[nodiscard]] bool is_awaited(std::uint32_t own) const noexcept;
  /// picked_up: the put is done.
  offer_state look_at(offer& o) noexcept;
  /// Under the lock. Throws corrupt_segment if nobody will ever take the item out of the slot.
  void check_offered(const ring_place& p) const;
  /// withdrawn: the put has not happened. lies_there: a taker is in the middle of it; it takes the item, or dies.
  offer_state withdraw(offer& o);
  /// withdraw(), without knowing whether a taker that is in the middle of it gets the item.
  void abandon(offer& o) noexcept;
  bool withdraw_orphan(const ring_place& p);

  // take.cpp
  take_status take(taken_item& out, deadline until, hold how, const std::stop_token& stop);
  take_status take_fixed(void* out, std::size_t bytes, deadline until, const std::stop_token& stop);
  void finish(held_item& held) noexcept;
  void give_back(taken_item& item);

  // look.cpp
  take_status fetch(item_copy& out, deadline until);
  std::vector<item_copy> peek();
  [[nodiscard]] bool is_ready() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept;

  // close.cpp
  void close(std::string_view reason);
  /// Closes the channel when that process ends; `host`: it lives with that process.
  void bind(process_id process, const shm::process_identity& who, bool host);
  /// Closes the channel if it is bound to that process, which has ended as `report` says.
  void close_bound_to(const shm::process_identity& who, const exit_report& report);
  [[noreturn]] void throw_closed(std::string_view operation) const;

  // recovery.cpp
  /// Looks for dead participants, unless somebody has just looked, and undoes what they left half done. False: nobody
  /// could look, since a living process (stopped, perhaps) keeps the lock: no wait goes beyond its deadline for that.
  bool look_for_the_dead(bool even_if_just_looked = false);

  // attach.cpp
  /// What happens instead of deletion when the last handle has gone: views of items in slots keep no handle, since
  /// counting handles would cost as much as the rest of the view. As long as there is one the channel stays.
  static void retire(channel_core* core) noexcept;
  /// The channel has no handle any more; when it has no view either it is deleted.
  void end_view_without_handle(ch::slot& at, std::uint64_t turn) noexcept;

  /// Puts and takes are recorded here and not on the fast path, which is closed while tracing is on, so that it costs
  /// nothing there while it is off. Under the lock of the process's list of channels, after tracing has been switched.
  void follow_tracing() noexcept {
    is_open_.store(fast_way_ && !trace::is_on() && !forked_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  }

  [[nodiscard]] ch::channel_header& header() const noexcept { return *header_; }
  [[nodiscard]] shm::segment& segment() noexcept { return segment_; }
  [[nodiscard]] const shm::segment& segment() const noexcept { return segment_; }
  [[nodiscard]] std::string_view display_name() const noexcept { return segment_.name(); }
  [[nodiscard]] const ch::checked_constants& constants() const noexcept { return constants_; }
  [[nodiscard]] std::size_t fixed_bytes() const noexcept { return fixed_bytes_; }
  [[nodiscard]] bool items_fit_slots() const noexcept { return fixed_in_slot_; }
  [[nodiscard]] bool is_closed() const noexcept { return header_->closed.load(std::memory_order_seq_cst) != 0; }
  [[nodiscard]] bool was_removed() const noexcept {
    return segment_.header().removed.load(std::memory_order_acquire) != 0;
  }
  void mark_forked() noexcept {
    forked_.store(true, std::memory_order_relaxed);
    is_open_.store(false, std::memory_order_relaxed);
    ends_views_.store(false, std::memory_order_relaxed);
  }

 private:
  friend class selector;

  /// Holds the channel's lock; repairs first if the last holder died.
  class locked {
   public:
    /// Throws corrupt_segment if it is no lock, or held by nobody who could let go of it.
    explicit locked(channel_core& core);
    /// Does not hold it if somebody else keeps it for so long.
    locked(channel_core& core, std::chrono::milliseconds patience);
    [[nodiscard]] explicit operator bool() const noexcept { return lock_.owns_lock(); }

   private:
    std::unique_lock<sync::robust_mutex> lock_;
  };

  /// Result of one try of an operation that may wait. busy: somebody is in the middle of what it waits for.
  enum class attempt { done, not_yet, busy };
  enum class wait_result { done, timed_out, stopped };
  using needs = ch::ring::needs;
  /// viewed: nothing was put; an item in a block would go in.
  enum class put_result { done, full, viewed };

  /// Spins, then sleeps, until `once` (attempt()) is done, the deadline passes or stop is requested. wait.hpp.
  template <class Once>
  wait_result wait(ch::waits_for what, deadline until, const std::stop_token* stop, Once&& once);
  [[nodiscard]] ch::event& event_of(ch::waits_for what) const noexcept;
  void rouse_everybody() noexcept;

  class sleeper;
  /// Entry for the calling thread among the waiters; kNoEntry if there is no room (it naps).
  std::uint32_t enter_waiters(ch::waits_for what, deadline until) noexcept;
  std::uint32_t claim_waiter(std::uint32_t entering) noexcept;
  void leave_waiters(std::uint32_t entry) noexcept;
  static constexpr std::uint32_t kNoEntry = 0xffffffff;
  /// A select that puts into a rendezvous goes by whether takers sleep there (offer.cpp).
  void tell_putters_of_taker(ch::waits_for what) noexcept;

  void check_usable() const {
    if (forked_.load(std::memory_order_relaxed)) refuse_forked();
  }
  [[noreturn]] void refuse_forked() const;
  /// Where an item lies that lies in its slot.
  [[nodiscard]] std::byte* item_of(const ring_place& p) const noexcept {
    return fixed_in_slot_ ? p.fixed_item() : p.piece();
  }
  /// The slot's word for views; 0 where slots have none.
  [[nodiscard]] std::uint64_t view_of(const ch::slot& slot) const noexcept {
    return fixed_in_slot_ ? 0 : slot.view.load(std::memory_order_acquire);
  }
  [[noreturn]] void throw_corrupt(std::string_view why) const;
  void check_open(std::string_view operation) const {
    if (is_closed()) throw_closed(operation);
  }
  void check_item_bytes(std::size_t bytes) const;

  /// The runtime's own channels are seen in a trace as the calls that they carry, and an idle process's wait not at all.
  void trace_item(trace::event_kind kind, std::uint64_t ticket) const noexcept {
    if (trace::is_on()) [[unlikely]]
      trace_while_on(kind, ticket);
  }
  void trace_while_on(trace::event_kind kind, std::uint64_t ticket) const noexcept;
  [[nodiscard]] sync::wait_kind traced_wait(ch::waits_for what) const noexcept {
    if (what == ch::waits_for::nothing || (what == ch::waits_for::item && !is_users_)) return sync::wait_kind::none;
    constexpr auto kFirst = static_cast<std::uint32_t>(sync::wait_kind::item);
    static_assert(static_cast<std::uint32_t>(ch::waits_for::item) == 1 &&
                  static_cast<std::uint32_t>(ch::waits_for::pickup) + kFirst - 1 ==
                      static_cast<std::uint32_t>(sync::wait_kind::pickup));
    return static_cast<sync::wait_kind>(static_cast<std::uint32_t>(what) + kFirst - 1);
  }

  // spin.hpp, spin.cpp
  template <class Once>
  bool spin_to_put(Once&& once);
  template <class Once>
  bool spin_to_take(Once&& once, const std::stop_token& stop);
  /// A channel that is full is emptied slot by slot: a putter that came for each of them at once would fetch its line from
  /// under the taker's hands. So it waits a little, until there are several.
  void keep_distance(const ring_place& p) noexcept;
  bool spin_at(const ring_place& p, ch::slot_state seen, sync::patience& patience) noexcept;
  spun spin_until_full() noexcept;
  friend class fast_path;

  // put.cpp
  template <class Write>
  attempt put_once(Write&& write, wake when, ring_place& claimed, needs what);
  template <class Write>
  put_result put_claimed(deadline until, wake when, Write&& write, needs what, offer* left = nullptr);
  bool put_in_block(const payload& item, std::size_t bytes, deadline until, wake when, offer* left);
  bool wait_for_pickup(const ring_place& p, deadline until);
  [[nodiscard]] bool may_need_block(std::size_t bytes) const noexcept {
    return bytes > most_in_slot_ || view_of(*ring_.next_put().at) != 0;
  }
  [[nodiscard]] bool view_goes_soon() noexcept;
  std::uint32_t claim_block(deadline until);
  void publish(const ring_place& p, wake when) noexcept;

  // take.cpp
  template <class Read>
  attempt take_once(Read&& read);
  template <class Once>
  take_status run_take(Once& once, deadline until, const std::stop_token& stop);
  bool take_orphan(taken_item& out, hold how);
  void read_slot(const ring_place& p, taken_item& out, hold how);
  void view_slot(const ring_place& p, taken_item& out, std::size_t bytes);
  void hold_view(const ring_place& p, taken_item& out, std::size_t bytes);
  bool move_to_block(std::uint64_t ticket, taken_item& out, std::span<const std::byte> item, std::uint64_t flags);
  /// Whether that block can hold an item of so many bytes. False: the segment is damaged, if the block is ours or a slot's.
  [[nodiscard]] bool can_hold(std::uint32_t block, std::size_t bytes) const noexcept;
  [[noreturn]] void throw_damaged_slot(const ring_place& p) const;
  void hold_block(taken_item& out, std::uint32_t block, std::size_t bytes, std::uint64_t flags);
  void empty_slot(const ring_place& p) noexcept;
  void free_block(std::uint32_t block) noexcept;

  // look.cpp
  bool copy_full_slot(const ring_place& p, item_copy& out) const;
  bool copy_item_of(const ring_place& p, item_copy& out) const;
  bool copy_block(std::uint32_t block, item_copy& out) const;
  attempt fetch_once(item_copy& out);
  struct orphan_place;
  void copy_orphan(const orphan_place& orphan, item_copy& out) const;
  struct orphan_place {
    std::uint64_t ticket = 0;
    std::uint32_t block = ch::kNoBlock;  // kNoBlock: it lies in a slot
    std::uint64_t view = 0;              // not 0: what that slot's word for views says
  };
  /// Under the lock.
  [[nodiscard]] std::vector<orphan_place> orphans_in_order() const;

  // recovery.cpp; all under the lock
  void repair();
  void recover(std::uint32_t participant);
  void recover_slots(std::uint32_t dead);
  void recover_view(ch::slot& at, ch::slot_state seen, std::uint32_t dead) noexcept;
  void recover_blocks(std::uint32_t dead);
  void recover_waiters(std::uint32_t dead) noexcept;
  void recover_moving(std::uint64_t index, ch::slot_state seen);
  void close_gaps();
  bool move_up(const ring_place& from);
  [[nodiscard]] std::vector<bool> blocks_named_by_slots() const;
  void recount();
  [[nodiscard]] bool anyone_else_attached();
  [[nodiscard]] bool has_died(std::uint32_t participant) const;
  [[nodiscard]] std::size_t life_of(std::uint32_t participant) const noexcept {
    return header_->participants_offset + participant * sizeof(ch::participant_entry);
  }
  void close_if_a_bound_process_ended();

  // close.cpp; under the lock
  void close_locked(ch::closing kind, std::string_view reason);
  void close_for_end_of(const ch::binding_entry& binding, const exit_report& report);

  void check_lock_holder(int looks_before) const;
  [[nodiscard]] bool may_let_go(std::int32_t thread, int looks_before) const;
  void enter();
  void leave() noexcept;
  [[nodiscard]] bool has_views() const noexcept;
  void release_items() noexcept;

  /// How many entries of the tables may have been used; no more than there are, whatever the header says.
  [[nodiscard]] std::uint32_t participants_high() const noexcept {
    return std::min(header_->participants_high, ch::kParticipants);
  }
  [[nodiscard]] std::uint32_t waiters_high() const noexcept {
    return std::min(header_->waiters_high.load(std::memory_order_acquire), ch::kWaiters);
  }

  shm::segment segment_;
  const ch::checked_constants constants_;
  ch::channel_header* header_ = nullptr;
  ch::participant_entry* participants_ = nullptr;
  ch::waiter_entry* waiters_ = nullptr;
  ch::block_pool blocks_;
  bool rendezvous_ = false;
  bool heavy_fences_reach_us_ = false;  // so puts and takes need none (channels::event)
  bool fixed_in_slot_ = false;
  bool fast_way_ = false;  // fast_path may be used while nothing is traced
  bool is_users_ = false;  // none of the runtime's own
  std::size_t fixed_bytes_ = 0;
  std::atomic<bool> forked_{false};
  std::atomic<std::int64_t> bound_end_seen_ns_{0};  // when a bound process was first seen dead without its status known
  alignas(ch::kApart) std::atomic<std::uint32_t> calm_frees_{0};
  alignas(ch::kApart) std::atomic<std::uint32_t> last_block_{ch::kNoBlock};  // that we have held a taken item in
  mutable std::atomic<std::size_t> most_seen_{0};  // bytes of the largest item in a block that was found right
  sync::wait_estimate for_item_;
  sync::wait_estimate for_room_;
};

}  // namespace weir::detail
