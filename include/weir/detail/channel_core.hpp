// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "weir/channel_options.hpp"
#include "weir/detail/held_item.hpp"
#include "weir/detail/item_type.hpp"
#include "weir/detail/slot_layout.hpp"
#include "weir/ids.hpp"

/// The untyped channel: what channel<T>, the sessions' inboxes and the tests stand on. Items are runs of bytes.
/// All functions may be called from any thread of any attached process at any time, on shared or own handles.
/// Errors are those of weir/error.hpp; a handle used in a forked child throws invalid_argument.
namespace weir::detail {

/// When a waiting operation gives up: never, at once, or at a point of the steady clock.
class deadline {
 public:
  using clock = std::chrono::steady_clock;
  [[nodiscard]] static constexpr deadline never() noexcept { return deadline(clock::time_point::max()); }
  /// Never, for who has spun in vain already, as long as that pays: it sleeps at once.
  [[nodiscard]] static constexpr deadline never_having_spun() noexcept {
    deadline never = deadline::never();
    never.has_spun_ = true;
    return never;
  }
  [[nodiscard]] static constexpr deadline at_once() noexcept { return deadline(clock::time_point::min()); }
  [[nodiscard]] static constexpr deadline at(clock::time_point when) noexcept { return deadline(when); }
  /// Saturates: a duration too long for the clock is never, one that is not positive is at_once.
  template <class Rep, class Period>
  [[nodiscard]] static deadline after(std::chrono::duration<Rep, Period> d) {
    if (!(d > d.zero())) return at_once();
    using seconds = std::chrono::duration<double>;
    constexpr double kLongest = 1e9;  // 31 years
    if (std::chrono::duration_cast<seconds>(d).count() >= kLongest) return never();
    return deadline(clock::now() + std::chrono::ceil<clock::duration>(d));
  }
  [[nodiscard]] constexpr bool is_never() const noexcept { return when_ == clock::time_point::max(); }
  [[nodiscard]] constexpr bool is_at_once() const noexcept { return when_ == clock::time_point::min(); }
  [[nodiscard]] constexpr bool has_spun() const noexcept { return has_spun_; }
  [[nodiscard]] bool has_passed() const noexcept { return is_at_once() || (!is_never() && clock::now() >= when_); }
  [[nodiscard]] constexpr clock::time_point when() const noexcept { return when_; }

 private:
  constexpr explicit deadline(clock::time_point when) noexcept : when_(when) {}
  clock::time_point when_;
  bool has_spun_ = false;
};

class fast_path;     // fast_path.hpp
class channel_core;  // lib/channel/channel_core.hpp
using core_handle = std::shared_ptr<channel_core>;
/// The part of it that is compiled into its users; null if `core` is.
[[nodiscard]] fast_path* fast_path_of(const core_handle& core) noexcept;

// ---------------------------------------------------------------------------------------------------- make and find

/// Where a new unnamed channel lives: with this process, or with a worker, whose end then closes it.
struct placement {
  process_id where = 0;         ///< 0: this process
  bool ends_with_host = false;  ///< closed when the host ends; waiting operations then throw worker_died
};

/// Throws invalid_argument (capacity), no_space.
core_handle create_unnamed(const item_type& type, std::size_t capacity, const channel_options& options,
                           placement place);
/// Throws already_exists, invalid_argument (name, capacity), no_space, permission_denied.
core_handle create_named(std::string_view name, const item_type& type, std::size_t capacity,
                         const channel_options& options);
/// Throws not_found, type_mismatch, layout_mismatch, corrupt_segment, permission_denied, invalid_argument (name).
core_handle open_named(std::string_view name, const item_type& type);
/// As open_named where it exists, else as create_named; a capacity that differs from the existing one is not an error.
core_handle open_or_create_named(std::string_view name, const item_type& type, std::size_t capacity,
                                 const channel_options& options);
/// Removes the name; processes that have it open keep working on what they have. Throws not_found, permission_denied,
/// invalid_argument.
void remove_named(std::string_view name);

/// A channel inside the runtime, with a given reserved segment name (see lib/segment/names.hpp); not numbered.
core_handle create_internal(std::string_view segment_name, const item_type& type, std::size_t capacity,
                            const channel_options& options);

// ------------------------------------------------------------------------------------------- sending handles around

/// Name under which any process can attach; what a handle becomes in a message.
[[nodiscard]] std::string reference_of(const channel_core& core);
/// Attaches by such a name. Throws as open_named.
core_handle attach(std::string_view reference, const item_type& type);
/// A pin keeps an unnamed object alive while a reference to it is under way and no process may hold a handle.
void pin(channel_core& core) noexcept;
/// The same by name, where a pinned reference is sent on by a process that holds no handle (weir::any). An object
/// already gone is no error. Throws no_space, permission_denied.
void pin(std::string_view reference);
/// Takes a pin back; the object goes if that was the last thing that kept it. An object already gone is no error.
void unpin(std::string_view reference) noexcept;

// --------------------------------------------------------------------------------------------------------------- put

/// An item to put: its parts lie one after the other in the channel (gathered by the put, so that a large part is copied
/// once). `has_references`: the item ends with a list of pinned references (payload.hpp).
struct payload {
  std::span<const std::span<const std::byte>> parts;
  bool has_references = false;
};

/// When the takers are told of an item: each at once, or later, all together, by wake_takers (batches).
enum class wake { now, later };

/// Appends one item. False: still full at the deadline; nothing has been put then.
/// Throws channel_closed, item_too_large, no_space, worker_died (channel on a worker that has ended).
bool put(channel_core& core, const payload& item, deadline until, wake when = wake::now);
/// The same for channels whose items all have the size fixed_bytes, which `bytes` must be.
bool put_fixed(channel_core& core, const void* item, std::size_t bytes, deadline until, wake when = wake::now);
/// Wakes up to `items` takers.
void wake_takers(channel_core& core, std::size_t items) noexcept;

/// Room for an item in shared memory, held by this process until put or given up (destroyed).
class loaned_block {
 public:
  loaned_block() = default;
  loaned_block(loaned_block&& other) noexcept;
  loaned_block& operator=(loaned_block&& other) noexcept;
  ~loaned_block();
  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return bytes_; }
  [[nodiscard]] explicit operator bool() const noexcept { return core_ != nullptr; }

 private:
  friend class channel_core;
  core_handle core_;
  std::uint32_t block_ = 0;
  std::span<std::byte> bytes_;
};

/// Waits for a free block. Throws item_too_large, no_space, channel_closed.
loaned_block loan(const core_handle& core, std::size_t bytes);
/// Publishes the first `bytes` of a loan without a copy; the loan is empty afterwards. False (still full at the
/// deadline) and throws leave the loan as it was. Throws as put; invalid_argument if the loan is empty or another
/// channel's.
bool put(channel_core& core, loaned_block& item, std::size_t bytes, deadline until);

// -------------------------------------------------------------------------------------------------------------- take

enum class take_status { taken, empty, stopped };

/// An item that this process has claimed. Counts as taken when destroyed; give_back() hands it to the next taker, first
/// of all that is inside. Items that lay in a slot may have been copied here; others are read in place. The channel must
/// be kept until this is destroyed.
class taken_item {
 public:
  taken_item() noexcept {}  // leaves small_ as it is
  taken_item(taken_item&& other) noexcept { *this = std::move(other); }
  taken_item& operator=(taken_item&& other) noexcept;
  ~taken_item() = default;
  /// Valid until the item is destroyed, moved (items that were copied) or given back.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return held_ ? held_.bytes() : std::span<const std::byte>(small_.data(), small_bytes_);
  }
  [[nodiscard]] bool has_references() const noexcept { return has_references_; }
  [[nodiscard]] explicit operator bool() const noexcept { return channel_ != nullptr; }
  void give_back();
  /// What is read in place, without the rest, which need not be kept; empty if the item was copied.
  [[nodiscard]] held_item release() && noexcept { return std::move(held_); }

 private:
  friend class channel_core;
  static constexpr std::size_t kSmall = channels::kMostSlotBytes - channels::kPiece;  // the most a slot holds
  channel_core* channel_ = nullptr;                                                   // null: nothing was taken
  held_item held_;
  std::uint32_t small_bytes_ = 0;
  bool has_references_ = false;
  std::uint64_t ticket_ = 0;  // of an item that was copied
  alignas(16) std::array<std::byte, kSmall> small_;
};

/// How a claimed item is to be held: `copy` may leave small items as copies in the taken_item; `view` always holds it in
/// shared memory, so that it goes to another taker if this process dies before it is done.
enum class hold { copy, view };

/// Removes the oldest item into `out`. `empty`: none until the deadline. `stopped`: stop was requested; nothing taken.
/// Throws channel_closed once closed and drained, worker_died (channel on a worker that has ended, drained).
take_status take(const core_handle& core, taken_item& out, deadline until, hold how = hold::copy,
                 const std::stop_token& stop = {});
/// The same for channels whose items all have the size fixed_bytes: copies straight to `out`.
take_status take_fixed(channel_core& core, void* out, std::size_t bytes, deadline until,
                       const std::stop_token& stop = {});

/// Bytes of an item copied out without removing it.
struct item_copy {
  std::vector<std::byte> bytes;
  bool has_references = false;
};

/// Copies the oldest item. `empty` as in take. Throws as take; invalid_argument on capacity 0.
take_status fetch(channel_core& core, item_copy& out, deadline until);
/// Copies of all items inside, oldest first, as they were at some time during the call.
std::vector<item_copy> peek(channel_core& core);

// --------------------------------------------------------------------------------------------------- close and state

/// No effect on a channel that is closed already. Wakes everybody.
void close(channel_core& core, std::string_view reason);
/// Closes it as soon as that worker is seen to have ended: plainly if it ended well, with a reason otherwise.
void close_when_gone(channel_core& core, process_id worker);

[[nodiscard]] bool is_open(const channel_core& core) noexcept;
/// A take would not wait. Stale as soon as it is returned, as are the next two.
[[nodiscard]] bool is_ready(const channel_core& core) noexcept;
/// Items inside; never more than capacity (0 for capacity 0).
[[nodiscard]] std::size_t size(const channel_core& core) noexcept;
[[nodiscard]] std::size_t capacity(const channel_core& core) noexcept;
[[nodiscard]] std::size_t max_item_bytes(const channel_core& core) noexcept;
[[nodiscard]] std::string name(const channel_core& core);
[[nodiscard]] process_id where(const channel_core& core) noexcept;
[[nodiscard]] process_id whence(const channel_core& core) noexcept;
[[nodiscard]] std::uint64_t id(const channel_core& core) noexcept;

}  // namespace weir::detail
