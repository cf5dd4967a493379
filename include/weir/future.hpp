// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/codec.hpp"
#include "weir/detail/call.hpp"
#include "weir/detail/future_core.hpp"

namespace weir {

template <class T>
class future;

namespace detail {

struct future_access {
  template <class T>
  static future<T> make(future_handle core) {
    return future<T>(std::move(core));
  }
  template <class T>
  static const future_handle& core(const future<T>& f) noexcept {
    return f.core_;
  }
};

template <class T, class F>
struct then_result {
  using type = std::invoke_result_t<F&, T>;
};
template <class F>
struct then_result<void, F> {
  using type = std::invoke_result_t<F&>;
};

}  // namespace detail

/// The result of a call, now or later; a handle: copies refer to the same result, and it can be sent to any process of
/// the session as an argument, a result, or an item in a channel.
/// Waiting   get and wait wait; wait_for and wait_until give up; the others return at once. None waits for a process that
///           has died: a result that will not come is known within a second.
/// Threads   any member, any thread, any process that has it, concurrently.
/// Errors    get throws, each time, what the call threw: remote_error, with an equal exception of the standard's or weir's
///           types nested in it (std::rethrow_if_nested); or worker_died (the worker ended before it had answered), or
///           no_space. Members of a future that refers to nothing throw invalid_argument.
/// Crash     a result stored before its worker died is kept. A process that dies holding futures of another's calls leaves
///           their results in memory until the session ends.
/// Dropping  the last handle lets the result go; the call runs all the same, and nobody waits for it.
/// Fork      a handle is invalid in the child.
template <class T>
class future {
 public:
  using value_type = T;

  /// Refers to nothing.
  future() noexcept = default;
  [[nodiscard]] bool valid() const noexcept { return core_ != nullptr; }

  /// Waits for the result; a copy of it, each time.
  T get() const;
  /// Waits until get() would not wait.
  void wait() const { wait_until_deadline(detail::deadline::never()); }
  /// False: not yet.
  template <class Rep, class Period>
  [[nodiscard]] bool wait_for(std::chrono::duration<Rep, Period> duration) const {
    return wait_until_deadline(detail::deadline::after(duration));
  }
  /// False: not yet.
  template <class Clock, class Duration>
  [[nodiscard]] bool wait_until(std::chrono::time_point<Clock, Duration> when) const {
    return wait_until_deadline(detail::deadline::after(when - Clock::now()));
  }
  /// get() would not wait: the result is there, or known not to come.
  [[nodiscard]] bool is_ready() const {
    detail::check_valid(core_);
    return detail::is_settled(core_);
  }

  /// A future for what f makes of the result (of nothing, for a future<void>). f stays in this process, so it may have
  /// captures; it runs on a thread of its own there, as calls do: one at a time, another while it waits in weir. If the
  /// call has thrown, f does not run and the new future throws the same. Throws not_in_session, no_space.
  template <class F>
  auto then(F f) const -> future<detail::travelling_t<typename detail::then_result<T, F>::type>>;

 private:
  friend struct detail::future_access;
  explicit future(detail::future_handle core) noexcept : core_(std::move(core)) {}
  bool wait_until_deadline(detail::deadline until) const {
    detail::check_valid(core_);
    return detail::wait_settled(core_, until);
  }

  detail::future_handle core_;
};

/// A future for all the results, in the order of the futures; it is ready when they all are, and throws the first error
/// in that order. Throws not_in_session, no_space, invalid_argument (one refers to nothing).
template <class T>
[[nodiscard]] auto when_all(const std::vector<future<T>>& futures)
    -> future<std::conditional_t<std::is_void_v<T>, void, std::vector<std::conditional_t<std::is_void_v<T>, int, T>>>>;
/// The same for futures of several types, none of them void: a tuple.
template <class... Ts>
requires(sizeof...(Ts) > 0 && (!std::is_void_v<Ts> && ...))
    [[nodiscard]] future<std::tuple<Ts...>> when_all(const future<Ts>&... futures);

/// A future for the index of the first that is ready, with a result or an error. Throws as when_all; invalid_argument if
/// there are none.
template <class T>
[[nodiscard]] future<std::size_t> when_any(const std::vector<future<T>>& futures);
template <class... Ts>
requires(sizeof...(Ts) > 0) [[nodiscard]] future<std::size_t> when_any(const future<Ts>&... futures);

// ------------------------------------------------------------------------------------------------------ what is inside

namespace detail {

/// Where an exception comes from that a promise is to pass on.
enum class thrower { source, function };

template <class T, class Compute>
void fulfil_with(const future_handle& promise, Compute&& compute) {
  encoder encoded;
  if constexpr (std::is_void_v<std::invoke_result_t<Compute&>>) {
    compute();
    fulfil(promise, encoded);
  } else {
    decltype(auto) value = compute();
    decltype(auto) sendable = as_travelling<T>(std::forward<decltype(value)>(value));
    codec<T>::encode(encoded, sendable);
    fulfil(promise, encoded);
  }
}

/// Fulfils the promise with what compute() returns, or throws out of another future.
template <class T, class Compute>
void pass_on(const future_handle& promise, Compute&& compute) noexcept {
  try {
    fulfil_with<T>(promise, compute);
  } catch (...) {
    fail(promise, std::current_exception(), /*from_future=*/true);
  }
}

template <class Result, class T, class F>
void run_then(const future_handle& promise, const future<T>& source, F& f) noexcept {
  bool from_future = true;
  try {
    if constexpr (std::is_void_v<T>) {
      source.get();
      from_future = false;
      fulfil_with<Result>(promise, [&]() -> decltype(auto) { return f(); });
    } else {
      T value = source.get();
      from_future = false;
      fulfil_with<Result>(promise, [&]() -> decltype(auto) { return f(std::move(value)); });
    }
  } catch (...) {
    fail(promise, std::current_exception(), from_future);
  }
}

[[nodiscard]] future<std::size_t> first_settled(std::vector<future_handle> futures);

}  // namespace detail

template <class T>
T future<T>::get() const {
  detail::check_valid(core_);
  const detail::result_bytes result(core_);
  if constexpr (!std::is_void_v<T>) return detail::codec<T>::decode(result.body());
}

template <class T>
template <class F>
auto future<T>::then(F f) const -> future<detail::travelling_t<typename detail::then_result<T, F>::type>> {
  using result = detail::travelling_t<typename detail::then_result<T, F>::type>;
  static_assert(detail::check_travels<result>());
  detail::check_valid(core_);
  detail::future_handle promise = detail::make_promise();
  // Shared, since a std::function must be copyable and F need not be.
  auto held = std::make_shared<F>(std::move(f));
  detail::when_settled({core_}, detail::settled::all, detail::run::as_call,
                       [promise, source = *this, held] { detail::run_then<result>(promise, source, *held); });
  return detail::future_access::make<result>(std::move(promise));
}

template <class T>
auto when_all(const std::vector<future<T>>& futures)
    -> future<std::conditional_t<std::is_void_v<T>, void, std::vector<std::conditional_t<std::is_void_v<T>, int, T>>>> {
  using result =
      std::conditional_t<std::is_void_v<T>, void, std::vector<std::conditional_t<std::is_void_v<T>, int, T>>>;
  std::vector<detail::future_handle> cores;
  for (const future<T>& each : futures) {
    cores.push_back(detail::future_access::core(each));
    detail::check_valid(cores.back());
  }
  detail::future_handle promise = detail::make_promise();
  detail::when_settled(std::move(cores), detail::settled::all, detail::run::at_once, [promise, futures] {
    detail::pass_on<result>(promise, [&]() -> result {
      if constexpr (std::is_void_v<T>) {
        for (const future<T>& each : futures) each.get();
      } else {
        result values;
        values.reserve(futures.size());
        for (const future<T>& each : futures) values.push_back(each.get());
        return values;
      }
    });
  });
  return detail::future_access::make<result>(std::move(promise));
}

template <class... Ts>
requires(sizeof...(Ts) > 0 &&
         (!std::is_void_v<Ts> && ...)) future<std::tuple<Ts...>> when_all(const future<Ts>&... futures) {
  (detail::check_valid(detail::future_access::core(futures)), ...);
  detail::future_handle promise = detail::make_promise();
  detail::when_settled({detail::future_access::core(futures)...}, detail::settled::all, detail::run::at_once,
                       [promise, held = std::tuple(futures...)] {
                         detail::pass_on<std::tuple<Ts...>>(promise, [&] {
                           return std::apply([](const auto&... each) { return std::tuple<Ts...>{each.get()...}; },
                                             held);
                         });
                       });
  return detail::future_access::make<std::tuple<Ts...>>(std::move(promise));
}

template <class T>
future<std::size_t> when_any(const std::vector<future<T>>& futures) {
  std::vector<detail::future_handle> cores;
  for (const future<T>& each : futures) cores.push_back(detail::future_access::core(each));
  return detail::first_settled(std::move(cores));
}

template <class... Ts>
requires(sizeof...(Ts) > 0) future<std::size_t> when_any(const future<Ts>&... futures) {
  return detail::first_settled({detail::future_access::core(futures)...});
}

template <class T>
struct detail::handle_traits<future<T>> {
  static const item_type& type() {
    static const std::string kName = [] {
      if constexpr (std::is_void_v<T>)
        return std::string("weir::future<void>");
      else
        return "weir::future<" + std::string(type_name<T>()) + '>';
    }();
    static const item_type kType{.name = kName, .hash = hash_of(kName), .kind = item_kind::handle, .element_name = {}};
    return kType;
  }
  static std::string reference(const future<T>& handle) { return reference_to(future_access::core(handle)); }
  static future<T> attach(std::string_view reference) { return future_access::make<T>(attach_future(reference)); }
};

}  // namespace weir
