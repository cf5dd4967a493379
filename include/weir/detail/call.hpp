// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/codec.hpp"
#include "weir/detail/session_core.hpp"

/// From a function and its arguments to an untyped call, and back: one trampoline for each kind of call.
namespace weir::detail {

// ------------------------------------------------------------------------------------------------ how values travel

/// The type that a parameter or a result of type T travels as: without reference and const, and views as what they view.
template <class T>
struct travelling {
  using type = T;
};
template <class T>
requires(!std::same_as<T, std::decay_t<T>>) struct travelling<T> : travelling<std::decay_t<T>> {
};
template <>
struct travelling<std::string_view> {
  using type = std::string;
};
template <>
struct travelling<const char*> {
  using type = std::string;
};
template <>
struct travelling<char*> {
  using type = std::string;
};
template <class U, std::size_t N>
struct travelling<std::span<U, N>> {
  using type = std::vector<std::remove_const_t<U>>;
};
template <class T>
using travelling_t = typename travelling<T>::type;

template <class T>
[[nodiscard]] consteval bool check_travels() {
  if constexpr (!std::is_void_v<T>) static_assert(require_transportable<T>::value);
  return true;
}

/// The value to encode for an argument: the argument itself if it has that type already, so that it is not copied.
template <class To, class From>
[[nodiscard]] decltype(auto) as_travelling(From&& value) {
  if constexpr (std::same_as<std::remove_cvref_t<From>, To>) {
    return static_cast<const To&>(value);
  } else if constexpr (std::is_convertible_v<From, To>) {
    return static_cast<To>(std::forward<From>(value));
  } else if constexpr (requires { To(std::begin(value), std::end(value)); }) {
    return To(std::begin(value), std::end(value));
  } else {
    static_assert(std::is_convertible_v<From, To>,
                  "weir: an argument of the call does not convert to the type of the function's parameter");
  }
}

/// Hands a decoded value to a parameter of type P.
template <class P, class T>
[[nodiscard]] decltype(auto) as_parameter(T& value) {
  if constexpr (std::is_pointer_v<std::decay_t<P>> && std::same_as<T, std::string>) {
    return value.data();
  } else if constexpr (!std::same_as<std::decay_t<P>, T>) {
    return std::decay_t<P>(value);
  } else {
    return static_cast<P&&>(value);
  }
}

// ------------------------------------------------------------------------------------------------- what can be called

template <class... Ts>
struct types {};

/// Parameters and result of a function, or of a class with one operator().
template <class F>
struct signature_of;
template <class R, class... Ps>
struct signature_of<R (*)(Ps...)> {
  using parameters = types<Ps...>;
  using result = R;
};
template <class R, class... Ps>
struct signature_of<R (*)(Ps...) noexcept> : signature_of<R (*)(Ps...)> {};
template <class R, class C, class... Ps>
struct signature_of<R (C::*)(Ps...)> : signature_of<R (*)(Ps...)> {};
template <class R, class C, class... Ps>
struct signature_of<R (C::*)(Ps...) const> : signature_of<R (*)(Ps...)> {};
template <class R, class C, class... Ps>
struct signature_of<R (C::*)(Ps...) noexcept> : signature_of<R (*)(Ps...)> {};
template <class R, class C, class... Ps>
struct signature_of<R (C::*)(Ps...) const noexcept> : signature_of<R (*)(Ps...)> {};

template <class F>
concept function_pointer = std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>;
template <class F>
concept functor = std::is_class_v<F>;
template <class F>
concept stateless_functor = functor<F> && std::is_empty_v<F> && std::is_default_constructible_v<F>;

/// What a generic functor is called with: values of the arguments' types as they travel.
template <class F, class... Args>
struct call_signature {
  using parameters = types<travelling_t<Args>...>;
  using result = std::invoke_result_t<F, travelling_t<Args>...>;
};
template <function_pointer F, class... Args>
struct call_signature<F, Args...> : signature_of<F> {};
template <functor F, class... Args>
requires requires { &F::operator(); }
struct call_signature<F, Args...> : signature_of<decltype(&F::operator())> {};

template <class F>
[[nodiscard]] consteval bool check_callable() {
  static_assert(
      function_pointer<F> || functor<F>,
      "weir: only functions, lambdas without captures and functors without members can be called on a worker");
  static_assert(!functor<F> || stateless_functor<F>,
                "weir: a lambda with captures cannot be sent: pass what it needs as arguments");
  return true;
}

/// Type of the value that a call of F with such arguments has, once it has travelled.
template <class F, class... Args>
using call_result = travelling_t<typename call_signature<std::decay_t<F>, Args...>::result>;

// -------------------------------------------------------------------------------------------------------- trampolines

template <class F, class Parameters, class Result>
struct remote_function;

template <class F, class... Ps, class Result>
struct remote_function<F, types<Ps...>, Result> {
  using values = std::tuple<travelling_t<Ps>...>;
  using answer = travelling_t<Result>;

  static void run(incoming_call& call) {
    const void* function = call.function();
    values arguments = decode_values<values>(call.arguments());
    call.arguments_taken();
    encoder encoded;
    if constexpr (std::is_void_v<Result>) {
      invoke(function, arguments);
      call.give_result(encoded);
    } else {
      decltype(auto) value = invoke(function, arguments);
      decltype(auto) sendable = as_travelling<answer>(std::forward<decltype(value)>(value));
      if (call.wants_result()) codec<answer>::encode(encoded, sendable);
      call.give_result(encoded);
    }
  }

  static Result invoke(const void* function, values& arguments) {
    return std::apply(
        [&](auto&... each) -> Result {
          if constexpr (function_pointer<F>) {
            return reinterpret_cast<F>(const_cast<void*>(function))(as_parameter<Ps>(each)...);
          } else if constexpr (stateless_functor<F>) {  // check_callable() has complained if not
            return F()(as_parameter<Ps>(each)...);
          }
        },
        arguments);
  }
};

template <class F>
[[nodiscard]] const void* address_of_function(const F& f) noexcept {
  if constexpr (function_pointer<F>)
    return reinterpret_cast<const void*>(f);
  else
    return nullptr;
}

/// Encodes the arguments as F's parameters and gives them, with what runs them, to `send(call_target, encoder&)`.
template <class F, class Send, class... Ps, class... Args>
decltype(auto) with_encoded(const F& f, Send&& send, types<Ps...> /*parameters*/, Args&&... arguments) {
  using result = typename call_signature<F, Args...>::result;
  static_assert(sizeof...(Ps) == sizeof...(Args), "weir: the function takes another number of arguments");
  static_assert((check_travels<travelling_t<Ps>>() && ...));
  static_assert(check_travels<travelling_t<result>>());
  const call_target target{&remote_function<F, types<Ps...>, result>::run, address_of_function(f)};
  // The converted arguments are temporaries, to which the encoder refers: they live until `send` has returned.
  return [&](const auto&... values) -> decltype(auto) {
    encoder encoded;
    if constexpr (sizeof...(values) != 0) encode_values(encoded, values...);
    return send(target, encoded);
  }(as_travelling<travelling_t<Ps>>(std::forward<Args>(arguments))...);
}

template <class F, class Send, class... Args>
decltype(auto) make_call(const F& f, Send&& send, Args&&... arguments) {
  using callable = std::decay_t<F>;
  static_assert(check_callable<callable>());
  return with_encoded<callable>(f, std::forward<Send>(send), typename call_signature<callable, Args...>::parameters(),
                                std::forward<Args>(arguments)...);
}

template <class F, class... Ps, class... Args>
void invoke_here(const F& f, types<Ps...> /*parameters*/, const Args&... arguments) {
  using remote = remote_function<F, types<Ps...>, typename call_signature<F, const Args&...>::result>;
  typename remote::values values(as_travelling<travelling_t<Ps>>(arguments)...);
  remote::invoke(address_of_function(f), values);
}

/// Calls f on the calling thread, with copies of the arguments, as it would be called in another process.
template <class F, class... Args>
void call_here(const F& f, const Args&... arguments) {
  using callable = std::decay_t<F>;
  invoke_here<callable>(f, typename call_signature<callable, const Args&...>::parameters(), arguments...);
}

}  // namespace weir::detail
