// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/codec.hpp"
#include "weir/detail/call.hpp"
#include "weir/detail/session_core.hpp"
#include "weir/detail/team_core.hpp"
#include "weir/future.hpp"
#include "weir/ids.hpp"
#include "weir/spmd.hpp"

/// session.spmd: a function that takes a team, called on all its ranks.
namespace weir::detail {

/// As call_signature, for a function whose first parameter is the team.
template <class F, class... Args>
struct spmd_signature {
  using parameters = types<team&, travelling_t<Args>...>;
  using result = std::invoke_result_t<F, team&, travelling_t<Args>...>;
};
template <function_pointer F, class... Args>
struct spmd_signature<F, Args...> : signature_of<F> {};
template <functor F, class... Args>
requires requires { &F::operator(); }
struct spmd_signature<F, Args...> : signature_of<decltype(&F::operator())> {};

template <class F, class... Args>
using spmd_result = travelling_t<typename spmd_signature<std::decay_t<F>, Args...>::result>;
template <class R>
struct results_of {
  using type = std::vector<R>;
};
template <>
struct results_of<void> {
  using type = void;
};
template <class F, class... Args>
using spmd_results = typename results_of<spmd_result<F, Args...>>::type;

/// Runs `f` as a rank: the others are told how it ends.
template <class Run>
auto run_as_rank(const std::string& name, std::uint32_t rank, const Run& run) {
  const team_handle core = enter_team(name, rank);
  team members(*core);
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<const Run&, team&>>) {
      run(members);
      leave_team(*core);
    } else {
      auto value = run(members);
      leave_team(*core);
      return value;
    }
  } catch (...) {
    fail_team(*core, std::current_exception());
    throw;
  }
}

template <class F, class Parameters, class Result>
struct spmd_function {
  static_assert(!std::is_same_v<F, F>, "weir: a function for spmd takes a weir::team& as its first parameter");
};

template <class F, class... Ps, class Result>
struct spmd_function<F, types<team&, Ps...>, Result> {
  using answer = travelling_t<Result>;
  /// The arguments for f, with the team's name and the rank before them.
  using values = std::tuple<std::string, std::uint32_t, travelling_t<Ps>...>;

  static void run(incoming_call& call) {
    const void* function = call.function();
    values arguments = decode_values<values>(call.arguments());
    call.arguments_taken();
    encoder encoded;
    if constexpr (std::is_void_v<Result>) {
      run_here(function, arguments);
      call.give_result(encoded);
    } else {
      const answer value = run_here(function, arguments);
      if (call.wants_result()) codec<answer>::encode(encoded, value);
      call.give_result(encoded);
    }
  }

  static answer run_here(const void* function, values& arguments) {
    return std::apply(
        [&](const std::string& name, std::uint32_t rank, auto&... each) -> answer {
          return run_as_rank(name, rank, [&](team& members) -> answer {
            const auto invoke = [&]() -> decltype(auto) {
              if constexpr (function_pointer<F>) {
                return reinterpret_cast<F>(const_cast<void*>(function))(members, as_parameter<Ps>(each)...);
              } else {
                return F()(members, as_parameter<Ps>(each)...);
              }
            };
            if constexpr (std::is_void_v<Result>) {
              invoke();
            } else {
              return as_travelling<answer>(invoke());
            }
          });
        },
        arguments);
  }
};

/// Waits for all ranks; then throws what the rank threw with which the team's failing began, or gives all results.
template <class R>
auto collect_ranks(const team_launch& launch, const std::vector<future<R>>& sent,
                   const std::vector<std::exception_ptr>& errors) -> typename results_of<R>::type {
  for (const future<R>& each : sent) {
    if (each.valid()) each.wait();
  }
  const auto result_of = [&](std::size_t rank) -> R {
    if (errors[rank]) std::rethrow_exception(errors[rank]);
    return sent[rank].get();
  };
  if (const auto first = launch.failed_first()) static_cast<void>(result_of(*first));
  if constexpr (std::is_void_v<R>) {
    for (std::size_t rank = 0; rank < sent.size(); ++rank) result_of(rank);
  } else {
    std::vector<R> results;
    results.reserve(sent.size());
    for (std::size_t rank = 0; rank < sent.size(); ++rank) results.push_back(result_of(rank));
    return results;
  }
}

template <class F, class... Ps, class... Args>
auto run_spmd_as(const F& f, types<team&, Ps...> /*parameters*/, const std::vector<process_id>& workers,
                 const Args&... arguments) {
  using result = typename spmd_signature<F, Args...>::result;
  using remote = spmd_function<F, types<team&, Ps...>, result>;
  using answer = travelling_t<result>;
  static_assert(sizeof...(Ps) == sizeof...(Args), "weir: the function takes another number of arguments");
  static_assert((check_travels<travelling_t<Ps>>() && ...));
  static_assert(check_travels<answer>());
  const team_launch launch(workers);
  if (workers.empty()) {
    typename remote::values values(launch.name(), 0U, as_travelling<travelling_t<Ps>>(arguments)...);
    if constexpr (std::is_void_v<result>) {
      remote::run_here(address_of_function(f), values);
      return;
    } else {
      std::vector<answer> results;
      results.push_back(remote::run_here(address_of_function(f), values));
      return results;
    }
  } else {
    // The converted arguments may be temporaries, to which the encoders refer: they live until all calls are sent.
    return [&](const auto&... values) {
      std::vector<future<answer>> sent(workers.size());
      std::vector<std::exception_ptr> errors(workers.size());
      for (std::size_t rank = 0; rank < workers.size(); ++rank) {
        try {
          encoder encoded;
          encode_values(encoded, launch.name(), static_cast<std::uint32_t>(rank), values...);
          sent[rank] = future_access::make<answer>(
              send_call(find_peer(workers[rank]), {&remote::run, address_of_function(f)}, encoded));
        } catch (...) {
          errors[rank] = std::current_exception();
          launch.set_missing(rank);
        }
      }
      return collect_ranks(launch, sent, errors);
    }(as_travelling<travelling_t<Ps>>(arguments)...);
  }
}

template <class F, class... First, class... Args>
void run_spmd_as(const F& /*f*/, types<First...> /*parameters*/, const std::vector<process_id>& /*workers*/,
                 const Args&... /*arguments*/) {
  static_assert(sizeof...(First) == ~std::size_t{0},
                "weir: a function for spmd takes a weir::team& as its first parameter");
}

template <class F, class... Args>
auto run_spmd(const F& f, std::vector<process_id> workers, const Args&... arguments) -> spmd_results<F, Args...> {
  using callable = std::decay_t<F>;
  static_assert(check_callable<callable>());
  return run_spmd_as<callable>(f, typename spmd_signature<callable, Args...>::parameters(), workers, arguments...);
}

}  // namespace weir::detail
