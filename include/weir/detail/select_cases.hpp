// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "weir/channel.hpp"
#include "weir/detail/select_case.hpp"
#include "weir/future.hpp"

/// The typed cases of a select; weir/select.hpp makes them.
namespace weir::detail {

struct no_handler {
  template <class... Args>
  void operator()(Args&&... /*unused*/) const noexcept {}
};

template <class T>
const core_handle& core_of(const channel<T>& handle) {
  return handle_traits<channel<T>>::core(handle);
}

template <class T, class F>
class take_case final : public select_case {
 public:
  take_case(const channel<T>& from, F&& handler)
      : select_case(kind::take, core_of(from)), handler_(std::forward<F>(handler)) {}
  bool try_now() override {
    if constexpr (kFixedInSlot<T> && std::is_default_constructible_v<T>) {
      if (!item_) item_.emplace();
      return take_value_into(core(), *item_, deadline::at_once());
    } else {
      std::optional<T> item = take_value<T>(core(), deadline::at_once());
      if (item) item_.emplace(std::move(*item));
      return item_.has_value();
    }
  }
  void finish() { std::invoke(handler_, std::move(*item_)); }

 private:
  F handler_;  // may be a reference
  std::optional<T> item_;
};

template <class T>
class take_into_case final : public select_case {
 public:
  take_into_case(const channel<T>& from, T& item) : select_case(kind::take, core_of(from)), item_(item) {}
  bool try_now() override { return take_value_into(core(), item_, deadline::at_once()); }
  void finish() const noexcept {}

 private:
  T& item_;
};

/// What a put of an S into a channel of Ts keeps until then: a reference to a variable, otherwise the value; a T if S is
/// no source for one.
template <class T, class S>
using kept_for_put =
    std::conditional_t<std::same_as<std::remove_cvref_t<S>, T> || source_for<std::remove_cvref_t<S>, T>,
                       std::conditional_t<std::is_lvalue_reference_v<S>, S, std::remove_cvref_t<S>>, T>;

template <class T, class S, class F>
class put_case final : public select_case {
 public:
  put_case(const channel<T>& to, S&& value, F&& handler)
      : select_case(kind::put, core_of(to)),
        value_(std::forward<S>(value)),
        prepared_(prepare<T>(std::as_const(value_))),
        handler_(std::forward<F>(handler)) {}
  payload item() override {
    if constexpr (kEncoded) {
      return prepared_.item();
    } else if constexpr (std::same_as<prepared, outgoing_fixed>) {
      piece_ = {static_cast<const std::byte*>(prepared_.object), prepared_.bytes};
    } else {
      piece_ = prepared_.piece;
    }
    return {.parts = {&piece_, 1}, .has_references = false};
  }
  void was_put() noexcept override {
    if constexpr (kEncoded) prepared_.sent();
  }
  void finish() { std::invoke(handler_); }

 private:
  using kept = kept_for_put<T, S>;
  using prepared = decltype(prepare<T>(std::declval<const std::remove_cvref_t<kept>&>()));
  static constexpr bool kEncoded = std::same_as<prepared, outgoing_encoded>;

  kept value_;
  prepared prepared_;  // refers to value_
  std::span<const std::byte> piece_;
  F handler_;
};

template <class R, class F>
class ready_case final : public select_case {
 public:
  ready_case(const future<R>& of, F&& handler)
      : select_case(kind::ready), future_(of), watch_(future_access::core(of)), handler_(std::forward<F>(handler)) {}
  bool try_now() override { return watch_.is_ready(); }
  std::optional<futex_word> word_to_sleep_on() override { return watch_.word_to_sleep_on(); }
  void slept() noexcept override { watch_.slept(); }
  void finish() {
    if constexpr (std::is_void_v<R>) {
      future_.get();
      std::invoke(handler_);
    } else if constexpr (std::same_as<F, no_handler>) {
      const result_bytes throws_if_failed(future_access::core(future_));
    } else {
      std::invoke(handler_, future_.get());
    }
  }

 private:
  future<R> future_;
  future_watch watch_;
  F handler_;
};

template <class F>
class timeout_case {
 public:
  timeout_case(deadline when, F&& handler) : when_(when), handler_(std::forward<F>(handler)) {}
  timeout_case(const timeout_case&) = delete;
  timeout_case& operator=(const timeout_case&) = delete;
  ~timeout_case() = default;
  [[nodiscard]] deadline when() const noexcept { return when_; }
  void finish() { std::invoke(handler_); }

 private:
  deadline when_;
  F handler_;
};

template <class Case>
inline constexpr bool kIsTimeout = false;
template <class F>
inline constexpr bool kIsTimeout<timeout_case<F>> = true;

template <class... Cases>
[[nodiscard]] consteval bool check_cases() {
  constexpr std::size_t kTimeouts = (std::size_t{0} + ... + (kIsTimeout<Cases> ? 1 : 0));
  static_assert((... && (std::derived_from<Cases, select_case> || kIsTimeout<Cases>)),
                "weir::select: its arguments are cases, made in the call: on_take, on_put, on_ready, on_timeout");
  static_assert(kTimeouts <= 1,
                "weir::select: there is more than one on_timeout: only the shortest could ever be chosen");
  static_assert(sizeof...(Cases) > kTimeouts,
                "weir::select: there is nothing to wait for: no on_take, on_put or on_ready");
  return true;
}

/// Nothing: stop was requested.
template <class... Cases>
std::optional<std::size_t> run_select(const std::stop_token& stop, Cases&... cases) {
  constexpr std::size_t kTimeouts = (std::size_t{0} + ... + (kIsTimeout<Cases> ? 1 : 0));
  std::array<select_case*, sizeof...(Cases) - kTimeouts> all{};
  deadline until = deadline::never();
  auto next = all.begin();
  const auto enter = [&](auto& each) {
    if constexpr (kIsTimeout<std::remove_cvref_t<decltype(each)>>) {
      until = each.when();
    } else {
      *next++ = &each;
    }
  };
  (enter(cases), ...);
  const select_case* const done = do_first(all, until, stop);
  if (done == nullptr && stop.stop_requested()) return std::nullopt;
  std::optional<std::size_t> chosen;
  std::size_t index = 0;
  const auto finish = [&](auto& each) {
    bool is_it = done == nullptr;
    if constexpr (!kIsTimeout<std::remove_cvref_t<decltype(each)>>) is_it = done == &each;
    if (is_it) {
      chosen = index;
      each.finish();
    }
    ++index;
  };
  (finish(cases), ...);
  return chosen;
}

}  // namespace weir::detail
