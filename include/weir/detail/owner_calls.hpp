// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/codec.hpp"
#include "weir/detail/call.hpp"
#include "weir/detail/session_core.hpp"
#include "weir/future.hpp"
#include "weir/ids.hpp"

/// Work that the owners of an array's blocks do, each on its own block, at the same time.
namespace weir::detail {

/// The workers of the session that run, in the order of their numbers; none in a program without a session. Stale as soon
/// as it is returned.
[[nodiscard]] std::vector<process_id> running_workers();

/// Stands for the function of work that needs none.
struct no_function {};

/// One call: Work::run(f, block, arguments...), where `f` is the user's function, or functor without members.
template <class Work, class F, class... Args>
struct owner_call {
  using result = decltype(Work::run(std::declval<F>(), std::size_t{}, std::declval<const Args&>()...));
  static_assert(!std::is_void_v<result>);

  static void serve(incoming_call& call) {
    const void* function = call.function();
    const auto values = decode_values<std::tuple<std::size_t, Args...>>(call.arguments());
    call.arguments_taken();
    const result value = std::apply([&](const auto&... each) { return Work::run(found(function), each...); }, values);
    encoder encoded;
    if (call.wants_result()) codec<result>::encode(encoded, value);
    call.give_result(encoded);
  }

 private:
  static F found(const void* function) {
    if constexpr (function_pointer<F>) {
      return reinterpret_cast<F>(const_cast<void*>(function));
    } else {
      return F();
    }
  }
};

/// Work::run(f, b, arguments...) for each block b on its owner: by a call, or here on the calling thread where this
/// process is the owner. Returns the results in the order of the blocks once all have ended; if some have thrown, it then
/// throws the first in that order: what a call throws, or from this process's own part what it threw.
template <class Work, class F, class... Args>
auto on_owners(const std::vector<process_id>& owners, const F& f, const Args&... arguments) {
  static_assert(check_callable<F>());
  using call = owner_call<Work, F, Args...>;
  using result = typename call::result;
  std::vector<future<result>> sent(owners.size());
  std::vector<std::optional<result>> found(owners.size());
  std::vector<std::exception_ptr> errors(owners.size());
  const auto keep_error = [&](std::size_t block, const auto& action) {
    try {
      action();
    } catch (...) {
      errors[block] = std::current_exception();
    }
  };
  const process_id self = my_id();
  for (std::size_t b = 0; b < owners.size(); ++b) {
    if (owners[b] == self) continue;
    keep_error(b, [&] {
      encoder encoded;
      encode_values(encoded, b, arguments...);
      sent[b] =
          future_access::make<result>(send_call(find_peer(owners[b]), {&call::serve, address_of_function(f)}, encoded));
    });
  }
  for (std::size_t b = 0; b < owners.size(); ++b) {
    if (owners[b] == self) keep_error(b, [&] { found[b].emplace(Work::run(f, b, arguments...)); });
  }
  for (std::size_t b = 0; b < owners.size(); ++b) {
    if (sent[b].valid()) keep_error(b, [&] { found[b].emplace(sent[b].get()); });
  }
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
  std::vector<result> results;
  results.reserve(owners.size());
  for (std::optional<result>& each : found) results.push_back(std::move(*each));
  return results;
}

}  // namespace weir::detail
