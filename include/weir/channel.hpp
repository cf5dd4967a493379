// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <ostream>
#include <ranges>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/any.hpp"
#include "weir/channel_options.hpp"
#include "weir/codec.hpp"
#include "weir/detail/channel_core.hpp"
#include "weir/detail/channel_items.hpp"
#include "weir/detail/channel_iterator.hpp"
#include "weir/detail/channel_views.hpp"
#include "weir/detail/deadlines.hpp"
#include "weir/detail/fast_path.hpp"
#include "weir/detail/process_handle.hpp"
#include "weir/error.hpp"
#include "weir/ids.hpp"

namespace weir {

namespace detail {

[[noreturn]] void throw_no_channel(std::string_view element_type);
void print_channel(std::ostream& out, std::string_view element_type, const core_handle& core);

}  // namespace detail

/// Bounded first-in first-out queue of `T`, shared by all processes that have a handle to it. This is such a handle:
/// cheap to copy, and can itself be sent to any process of the session (as an argument, a result, an item).
///
/// Waiting   put and take wait while the channel is full or empty; try_* never wait; *_for and *_until give up in time.
/// Threads   any member, any thread, any process that has the channel, at any time, on one handle or several.
/// Order     what one putter puts is taken in that order; each item is taken once. What was written before put(x) can
///           be read after the take that gives x.
/// Full      the (capacity+1)-th put waits. Capacity 0 is a rendezvous: put returns when a taker has the item.
/// Closed    after close() puts throw channel_closed, also those that wait, and their items are not in; what is inside
///           can be taken; then takes throw.
/// Crash     a process that dies inside put loses at most that item; one that dies inside take, or holds a view, loses
///           none: the next taker gets it. Nobody waits for the dead.
/// Fork      a handle is invalid in a forked child (invalid_argument); open the name again there.
/// Errors    besides those named below, everything throws corrupt_segment if the shared memory is damaged, worker_died
///           if the channel lived with a worker that has ended (and, for takes, is drained), and invalid_argument if the
///           handle refers to no channel.
template <class T>
class channel {
  static_assert(detail::check_transportable<T>());

 public:
  using value_type = T;
  using iterator = detail::channel_iterator<T>;
  using sentinel = std::default_sentinel_t;
  /// For vectors and strings a contiguous range of elements to write; see detail/channel_views.hpp.
  using loan_type = typename detail::in_place<T>::loan;
  /// For vectors and strings a contiguous range of const elements; for trivially copyable types a `const T*`.
  using view_type = typename detail::in_place<T>::view;

  // ---- make and find

  /// Refers to no channel, until one is assigned.
  channel() noexcept = default;
  /// Makes an unnamed channel: it lives until its last handle goes, those on their way in messages included. Throws
  /// invalid_argument if `capacity` is over kMaxCapacity; no_space.
  explicit channel(std::size_t capacity, channel_options options = {})
      : channel(detail::create_unnamed(detail::codec<T>::type(), capacity, options, {})) {}
  /// Makes a named channel: it lives until remove(). Throws already_exists; invalid_argument for a name that is empty, has
  /// a slash, begins with '@' or is over 200 characters long; no_space; permission_denied.
  static channel create(std::string_view name, std::size_t capacity, channel_options options = {}) {
    return channel(detail::create_named(name, detail::codec<T>::type(), capacity, options));
  }
  /// Opens a named channel of this user. Throws not_found, type_mismatch, layout_mismatch, corrupt_segment,
  /// permission_denied, invalid_argument (name).
  static channel open(std::string_view name) { return channel(detail::open_named(name, detail::codec<T>::type())); }
  /// open() if it exists (with the capacity it has), otherwise create().
  static channel open_or_create(std::string_view name, std::size_t capacity, channel_options options = {}) {
    return channel(detail::open_or_create_named(name, detail::codec<T>::type(), capacity, options));
  }
  /// Makes an unnamed channel that lives with a worker: where() is the worker, and when that ends the channel is closed
  /// (what waits throws worker_died). Throws as channel(capacity); worker_died.
  template <detail::process_handle Worker>
  static channel on(const Worker& worker, std::size_t capacity, channel_options options = {}) {
    const detail::placement place{.where = worker.id(), .ends_with_host = true};
    return channel(detail::create_unnamed(detail::codec<T>::type(), capacity, options, place));
  }
  /// Removes the name. Those who have the channel open can go on using it. Throws not_found, permission_denied,
  /// invalid_argument.
  static void remove(std::string_view name) { detail::remove_named(name); }

  // ---- put: appends a copy of the item. All throw channel_closed; item_too_large, which changes nothing; no_space.
  // An item can also be given as a source: for strings what converts to std::string_view, for vectors a std::span or a
  // std::array of the elements; for both a view taken from a channel, which so is copied once on its way.

  /// Waits while full.
  void put(const T& item) { put_now(item); }
  void put(T&& item) { put_now(item); }
  template <detail::source_for<T> S>
  void put(const S& item) {
    put_now(item);
  }
  /// False: full, and nothing was put. (At capacity 0: nobody waits to take.)
  bool try_put(const T& item) { return put_at_once(item); }
  template <detail::source_for<T> S>
  bool try_put(const S& item) {
    return put_at_once(item);
  }
  /// False: still full after `timeout`, not sooner, and nothing was put.
  template <class Rep, class Period>
  bool put_for(const T& item, std::chrono::duration<Rep, Period> timeout) {
    return detail::prepare<T>(item).put(*core(), detail::deadline::after(timeout));
  }
  template <detail::source_for<T> S, class Rep, class Period>
  bool put_for(const S& item, std::chrono::duration<Rep, Period> timeout) {
    return detail::prepare<T>(item).put(*core(), detail::deadline::after(timeout));
  }
  /// The same until a time of any clock, as that clock is then set.
  template <class Clock, class Duration>
  bool put_until(const T& item, std::chrono::time_point<Clock, Duration> when) {
    return put_by(item, when);
  }
  template <detail::source_for<T> S, class Clock, class Duration>
  bool put_until(const S& item, std::chrono::time_point<Clock, Duration> when) {
    return put_by(item, when);
  }
  /// As put() each item of a range, in order, but takers are woken once, at the end (and before it waits). Returns how
  /// many went in: fewer than all only if the channel was closed meanwhile; throws channel_closed if none did. Any other
  /// exception leaves in what went in before it.
  template <std::ranges::input_range Range>
  requires detail::puts_into<std::ranges::range_reference_t<Range>, T> std::size_t put_all(Range&& items);

  /// What an any cannot hold; an error in one sentence.
  template <class S>
  requires(std::same_as<T, any> && !std::convertible_to<const S&, any>) void put(const S& /*item*/) {
    static_assert(detail::check_transportable<S>());
  }
  template <detail::lossy_for<T> S>
  void put(S) = delete;
  template <detail::lossy_for<T> S>
  bool try_put(S) = delete;
  template <detail::lossy_for<T> S, class Timeout>
  bool put_for(S, Timeout) = delete;
  template <detail::lossy_for<T> S, class Time>
  bool put_until(S, Time) = delete;

  // ---- take: removes the oldest item. All throw channel_closed once the channel is closed and drained. An item
  // whose decoding throws stays inside, unless it says not_found (a handle in it refers to an object that has gone) or
  // corrupt_segment: then it has been taken, since no other taker could do better.

  /// Waits while empty.
  T take() { return detail::take_one<T>(fast_ != nullptr ? core_ : core(), fast_); }
  /// The same into `item`, whose storage a vector or string reuses.
  void take_into(T& item) {
    detail::deadline until = detail::deadline::never();
    const auto take_it = [&item](detail::fast_path& way) { return detail::take_fast(way, item); };
    if (!detail::take_soon(fast_, until, take_it)) detail::take_value_into(core(), item, until);
  }
  /// nullopt: empty now.
  std::optional<T> try_take() {
    if constexpr (detail::kHasFastPath<T> && std::is_default_constructible_v<T>) {
      if (T value; take_fast(value)) return value;
    }
    return detail::take_value<T>(core(), detail::deadline::at_once());
  }
  /// nullopt: still empty after `timeout`, not sooner.
  template <class Rep, class Period>
  std::optional<T> take_for(std::chrono::duration<Rep, Period> timeout) {
    return detail::take_value<T>(core(), detail::deadline::after(timeout));
  }
  template <class Clock, class Duration>
  std::optional<T> take_until(std::chrono::time_point<Clock, Duration> when) {
    return detail::until(when, [this](detail::deadline d) { return detail::take_value<T>(core(), d); });
  }
  /// nullopt: stop was requested; nothing was taken then.
  std::optional<T> take(std::stop_token stop) { return detail::take_value<T>(core(), detail::deadline::never(), stop); }
  /// Waits for the first item, then takes what is there, at most `n`; nothing if n is 0.
  std::vector<T> take_up_to(std::size_t n);

  // ---- fetch: copies the oldest item and leaves it inside. All throw channel_closed as take, and invalid_argument at
  // capacity 0.

  /// Waits while empty.
  T fetch() { return *detail::fetch_value<T>(core(), detail::deadline::never()); }
  std::optional<T> try_fetch() { return detail::fetch_value<T>(core(), detail::deadline::at_once()); }
  template <class Rep, class Period>
  std::optional<T> fetch_for(std::chrono::duration<Rep, Period> timeout) {
    return detail::fetch_value<T>(core(), detail::deadline::after(timeout));
  }
  /// Copies of what is inside, oldest first. For display: others may be taking and putting. Never waits.
  [[nodiscard]] std::vector<T> peek() const;

  // ---- in place: without a copy

  /// Room for `count` elements in shared memory. Waits if all blocks are in use. Throws as put.
  loan_type loan(std::size_t count) requires detail::loanable<T>;
  /// Puts what was written there. Waits while full; throws as put; invalid_argument for a loan of another channel. The
  /// loan is empty afterwards, and unchanged if this throws.
  void put(loan_type&& item) requires detail::loanable<T> { put_loan(item, detail::deadline::never()); }
  /// False: full; the loan is unchanged.
  bool try_put(loan_type&& item) requires detail::loanable<T> { return put_loan(item, detail::deadline::at_once()); }
  template <class Rep, class Period>
  bool put_for(loan_type&& item, std::chrono::duration<Rep, Period> timeout) requires detail::loanable<T> {
    return put_loan(item, detail::deadline::after(timeout));
  }
  /// As the takes above, but the item stays where it is and is read there; it counts as taken when the view is destroyed.
  view_type take_view() requires detail::viewable<T> { return std::move(*view_by(detail::deadline::never())); }
  std::optional<view_type> try_take_view() requires detail::viewable<T> { return view_by(detail::deadline::at_once()); }
  template <class Rep, class Period>
  std::optional<view_type> take_view_for(std::chrono::duration<Rep, Period> timeout) requires detail::viewable<T> {
    return view_by(detail::deadline::after(timeout));
  }

  // ---- close; no effect on a channel that is closed already

  void close() { detail::close(*core(), {}); }
  /// Those who find it closed are told the reason; iteration then throws.
  void close(const std::string& reason) { detail::close(*core(), reason); }
  /// Closes the channel when that worker has ended: plainly if it ended well, otherwise with a reason that says how.
  template <detail::process_handle Worker>
  void close_when_gone(const Worker& worker) {
    detail::close_when_gone(*core(), worker.id());
  }

  // ---- state. May have changed when the call returns; never waits.

  [[nodiscard]] bool is_open() const { return detail::is_open(*core()); }
  /// A take would not wait.
  [[nodiscard]] bool is_ready() const { return detail::is_ready(*core()); }
  /// A put would wait (always at capacity 0).
  [[nodiscard]] bool is_full() const { return size() >= capacity(); }
  [[nodiscard]] bool is_empty() const { return size() == 0; }
  /// Items inside, at most capacity().
  [[nodiscard]] std::size_t size() const { return detail::size(*core()); }
  [[nodiscard]] std::size_t capacity() const { return detail::capacity(*core()); }
  /// An unnamed channel has a name too, which begins with '@'.
  [[nodiscard]] std::string name() const { return detail::name(*core()); }
  /// The process it lives with, the process that made it, and that process's running number.
  [[nodiscard]] process_id where() const { return detail::where(*core()); }
  [[nodiscard]] process_id whence() const { return detail::whence(*core()); }
  [[nodiscard]] std::uint64_t id() const { return detail::id(*core()); }

  // ---- iteration: takes until the channel is closed and drained; throws after a close with a reason

  [[nodiscard]] iterator begin() { return iterator(core()); }
  [[nodiscard]] sentinel end() const noexcept { return {}; }

  /// `channel<std::vector<double>>(2, 2, 1) (1 item available)`: where, whence, id.
  friend std::ostream& operator<<(std::ostream& out, const channel& ch) {
    detail::print_channel(out, detail::type_name<T>(), ch.core_);
    return out;
  }
  /// The same channel.
  [[nodiscard]] friend bool operator==(const channel& a, const channel& b) noexcept { return a.core_ == b.core_; }

 private:
  friend struct detail::handle_traits<channel>;
  explicit channel(detail::core_handle core) noexcept : core_(std::move(core)), fast_(detail::fast_path_of(core_)) {}

  [[nodiscard]] const detail::core_handle& core() const {
    if (!core_) detail::throw_no_channel(detail::type_name<T>());
    return core_;
  }
  /// Of small items, when nothing is in the way. False: the general way goes on.
  template <class S>
  bool put_fast(const S& item, detail::wake when = detail::wake::now) {
    return fast_ != nullptr && detail::put_fast<T>(*fast_, item, when);
  }
  bool take_fast(T& item) { return fast_ != nullptr && detail::take_fast(*fast_, item); }
  template <class S>
  void put_now(const S& item, detail::wake when = detail::wake::now) {
    if (!put_fast(item, when)) detail::prepare<T>(item).put(*core(), detail::deadline::never(), when);
  }
  template <class S>
  bool put_at_once(const S& item) {
    return put_fast(item) || detail::prepare<T>(item).put(*core(), detail::deadline::at_once());
  }
  template <class S, class Time>
  bool put_by(const S& item, Time when) {
    auto outgoing = detail::prepare<T>(item);
    return detail::until(when, [&](detail::deadline d) { return outgoing.put(*core(), d); });
  }
  bool put_loan(loan_type& item, detail::deadline until);
  std::optional<view_type> view_by(detail::deadline until);

  detail::core_handle core_;
  detail::fast_path* fast_ = nullptr;  // of core_; put and take spare one look at it
};

namespace detail {

template <class T>
struct handle_traits<channel<T>> {
  static const item_type& type() { return type_of_kind<channel<T>>(item_kind::handle); }
  static const core_handle& core(const channel<T>& handle) { return handle.core(); }
  static std::string reference(const channel<T>& handle) {
    std::string name = reference_of(*handle.core());
    pin(*handle.core());
    return name;
  }
  static channel<T> attach(std::string_view reference) {
    return channel<T>(detail::attach(reference, codec<T>::type()));
  }
};

}  // namespace detail

template <class T>
template <std::ranges::input_range Range>
requires detail::puts_into<std::ranges::range_reference_t<Range>, T> std::size_t channel<T>::put_all(Range&& items) {
  const detail::core_handle core = this->core();
  detail::batch done(*core);
  try {
    for (auto&& item : items) {
      if constexpr (std::convertible_to<decltype(item), const T&>) {
        const T& as_put = item;
        put_now(as_put, detail::wake::later);
      } else {
        put_now(item, detail::wake::later);
      }
      done.add_one();
    }
  } catch (const channel_closed&) {
    if (done.count() == 0) throw;
  }
  return done.count();
}

template <class T>
std::vector<T> channel<T>::take_up_to(std::size_t n) {
  const detail::core_handle core = this->core();
  std::vector<T> items;
  if (n == 0) return items;
  items.reserve(std::min(n, std::max<std::size_t>(detail::size(*core), 1)));
  items.push_back(take());
  try {
    while (items.size() < n) {
      if (items.size() == items.capacity()) items.reserve(2 * items.size());  // before the take: no item may be lost
      std::optional<T> item = try_take();
      if (!item) break;
      items.push_back(std::move(*item));
    }
  } catch (const error&) {
    return items;  // closed, or an item that cannot be read: the next take says so
  }
  return items;
}

template <class T>
std::vector<T> channel<T>::peek() const {
  const std::vector<detail::item_copy> copies = detail::peek(*core());
  std::vector<T> items;
  items.reserve(copies.size());
  for (const detail::item_copy& copy : copies) items.push_back(detail::decode_copy<T>(copy));
  return items;
}

template <class T>
typename channel<T>::loan_type channel<T>::loan(std::size_t count) requires detail::loanable<T> {
  constexpr std::size_t kElement = sizeof(detail::element_of<T>);
  // A count whose bytes cannot be counted is more than any channel takes.
  const std::size_t bytes = count > SIZE_MAX / kElement ? SIZE_MAX : count * kElement;
  return loan_type(detail::loan(core(), bytes), count);
}

template <class T>
bool channel<T>::put_loan(loan_type& item, detail::deadline until) {
  const std::size_t bytes = item.size() * sizeof(detail::element_of<T>);
  if (!detail::put(*core(), item.block_, bytes, until)) return false;
  item.size_ = 0;
  return true;
}

template <class T>
std::optional<typename channel<T>::view_type> channel<T>::view_by(detail::deadline until) {
  std::optional<view_type> found;
  if constexpr (detail::sequence<T>) {
    const auto fits = [](std::size_t bytes) { return bytes % sizeof(detail::element_of<T>) == 0; };
    detail::held_item held;
    const auto take_held = [&](detail::fast_path& way) { return held.take(way, fits); };
    const bool taken =
        until.is_never() ? detail::take_soon(fast_, until, take_held) : fast_ != nullptr && take_held(*fast_);
    if (!taken) {
      detail::taken_item item;
      if (detail::take(core(), item, until, detail::hold::view) != detail::take_status::taken) return found;
      detail::check_item<T>(item, fits(item.bytes().size()));
      held = std::move(item).release();
    }
    found.emplace(view_type(std::move(held)));
  } else {
    detail::taken_item item;
    if (detail::take(core(), item, until, detail::hold::view) != detail::take_status::taken) return found;
    detail::check_item<T>(item, item.bytes().size() == sizeof(T));
    found.emplace(view_type(std::move(item)));
  }
  return found;
}

}  // namespace weir
