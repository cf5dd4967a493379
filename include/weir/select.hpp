// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "weir/channel.hpp"
#include "weir/detail/select_cases.hpp"
#include "weir/future.hpp"

/// select() waits for the first of several things that can go, and does that one:
///
///     std::size_t chosen = weir::select(
///         weir::on_take(jobs, [&](job next) { run(next); }),            // an item came, and has been taken
///         weir::on_put(results, best, [&] { best = {}; }),              // there was room, and a copy has been put
///         weir::on_ready(answer, [&](double value) { total += value; }),// the call has returned
///         weir::on_timeout(100ms, [&] { give_sign_of_life(); }));       // none of these in that time
///
/// Handlers are called by select, in the caller's thread, after what they are told has been done; what they return is
/// ignored, what they throw comes out of select. Cases are made in the call of select, and are used once; they refer to
/// the variables that they are given (not to temporaries, which they keep).
namespace weir {

// ------------------------------------------------------------------------------------------------------------- cases

/// Takes an item and hands it to `handler(T)`. Throws invalid_argument (the handle refers to no channel).
template <class T, class F>
requires(!std::same_as<std::remove_cvref_t<F>, T>)
    [[nodiscard]] detail::take_case<T, F> on_take(const channel<T>& from, F&& handler) {
  static_assert(std::invocable<F&, T>, "weir::on_take: the handler must accept an item of the channel");
  return {from, std::forward<F>(handler)};
}
/// Takes an item into a variable, whose storage a vector or string reuses.
template <class T>
[[nodiscard]] detail::take_into_case<T> on_take(const channel<T>& from, T& item) {
  return {from, item};
}
template <class T>
detail::take_into_case<T> on_take(const channel<T>& /*from*/) {
  static_assert(sizeof(T) == 0, "weir::on_take: the item would be lost: give a handler, or a variable to take it into");
}

/// Puts `value`: an item of the channel, or what its put() takes as one. Calls `handler()` when it is in. Throws
/// invalid_argument (the handle refers to no channel).
template <class T, class S, class F = detail::no_handler>
[[nodiscard]] detail::put_case<T, S, F> on_put(const channel<T>& to, S&& value, F&& handler = {}) {
  static_assert(detail::puts_into<S, T>,
                "weir::on_put: the value is no item of the channel, or the conversion to one could change it");
  static_assert(std::invocable<F&>, "weir::on_put: the handler must accept no arguments");
  return {to, std::forward<S>(value), std::forward<F>(handler)};
}

/// Goes when get() would not wait. Calls `handler(value)`, or `handler()` for a future<void>. If the call has failed,
/// select throws what get() throws. Throws invalid_argument (the future refers to nothing).
template <class R, class F = detail::no_handler>
[[nodiscard]] detail::ready_case<R, F> on_ready(const future<R>& of, F&& handler = {}) {
  if constexpr (std::is_void_v<R>) {
    static_assert(std::invocable<F&>, "weir::on_ready: the handler must accept no arguments: the future has no value");
  } else {
    static_assert(std::invocable<F&, R>, "weir::on_ready: the handler must accept the value of the future");
  }
  return {of, std::forward<F>(handler)};
}

/// Goes when no other has gone for so long, counted from here, and not sooner. Not positive: select never waits, and this
/// is done if nothing else can go at once.
template <class Rep, class Period, class F = detail::no_handler>
[[nodiscard]] detail::timeout_case<F> on_timeout(std::chrono::duration<Rep, Period> timeout, F&& handler = {}) {
  static_assert(std::invocable<F&>, "weir::on_timeout: the handler must accept no arguments");
  return {detail::deadline::after(timeout), std::forward<F>(handler)};
}

// ------------------------------------------------------------------------------------------------------------- select

/// Waits until one of the cases can go, does it, and returns which: its place among the arguments, from 0. Of several
/// that can go it does one at random, so that none is left out for long. The others have no effect: nothing is put, and
/// what they could have taken is for others to take. A channel may be in several cases, to take and to put.
///
/// Waiting   until a case can go; the time in on_timeout at most. A worker runs its next call meanwhile.
/// Closed    a case of a channel that is closed (for on_take: and drained) can go; when it is the one, select throws
///           channel_closed, as put and take do. So a closed channel also ends a select.
/// Capacity 0   on_put goes when a taker has the item, and on_take when a putter brings one; the other side may be a put,
///           a take or another select. With on_timeout(0) on_put gives a taker that sleeps up to 100 ms to wake up, as
///           try_put does. While it waits for the taker to come, 10 ms at most, no other case is done.
/// Threads   any number, on any channels and futures, at the same time, in any process.
/// Crash     nobody waits for the dead: items, channels and futures as put, take and get say. A process that dies inside
///           select has done one case, or none, or half of one as if it had died inside that put or take.
/// Errors    those of the case that is done: as put, take and get. Fork: as channel and future.
template <class... Cases>
requires(!(... || std::same_as<std::remove_cvref_t<Cases>, std::stop_token>)) std::size_t select(Cases&&... cases) {
  static_assert(detail::check_cases<Cases...>());
  return *detail::run_select({}, cases...);
}

/// The same. nullopt: stop was requested; nothing has been done then.
template <class... Cases>
std::optional<std::size_t> select(const std::stop_token& stop, Cases&&... cases) {
  static_assert(detail::check_cases<Cases...>());
  return detail::run_select(stop, cases...);
}

}  // namespace weir
