// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <any>
#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/ids.hpp"
#include "weir/worker.hpp"

namespace weir {

/// An item of a map that has failed, and will not be tried again.
struct map_failure {
  std::size_t index = 0;  ///< where it stands in the range
  process_id worker = 0;  ///< on which it failed last; if it was never tried, since no worker is left: the last to die
  int attempts = 0;       ///< how often it was tried
  std::exception_ptr error;  ///< what future::get() would throw: remote_error, worker_died, …
};

/// What a map asks about each item that has failed for good. Made from a function object that takes `const map_failure&`,
/// `std::exception_ptr` or `const std::exception&`, and
///   - returns what stands for the item's result: of the results' type, or a number, text or optional that converts to it
///     (anything else ends the map with type_mismatch); a std::any holds such a value; or
///   - returns nothing: the error ends the map, unless its function returns nothing too: then the item is done; or
///   - throws: that ends the map.
/// Called on the thread that called map, one at a time. It may call the session; workers that it adds join the map.
class map_error_handler {
 public:
  /// No handler: the first error ends the map.
  map_error_handler() noexcept = default;
  template <class F>
  requires(!std::same_as<F, map_error_handler>) map_error_handler(F f)
      : returns_value_(!std::is_void_v<decltype(ask(f, std::declval<const map_failure&>()))>),
        ask_([f = std::move(f)](const map_failure& failure) mutable -> std::any {
          if constexpr (std::is_void_v<decltype(ask(f, failure))>) {
            ask(f, failure);
            return {};
          } else {
            return ask(f, failure);
          }
        }) {}

  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(ask_); }
  /// False: what it is made from returns nothing.
  [[nodiscard]] bool returns_value() const noexcept { return returns_value_; }
  /// What it returned; nothing if it returns nothing. Throws what it throws.
  [[nodiscard]] std::any operator()(const map_failure& failure) const { return ask_(failure); }

 private:
  template <class F>
  static auto ask(F& f, const map_failure& failure) {
    if constexpr (std::invocable<F&, const map_failure&>) {
      return f(failure);
    } else if constexpr (std::invocable<F&, std::exception_ptr>) {
      return f(failure.error);
    } else if constexpr (std::invocable<F&, const std::exception&>) {
      try {
        std::rethrow_exception(failure.error);
      } catch (const std::exception& e) {  // all that a call throws is one
        return f(e);
      }
    } else {
      static_assert(std::invocable<F&, const map_failure&>,
                    "weir: on_error must take const map_failure&, std::exception_ptr or const std::exception&");
    }
  }

  bool returns_value_ = false;
  std::function<std::any(const map_failure&)> ask_;
};

/// How session::map goes about it.
struct map_options {
  /// Items that go to a worker in one call: more make small items cheaper, fewer share the load more evenly. At least 1.
  std::size_t batch_size = 1;
  /// How often an item that threw, or whose worker died, is tried again: alone, and on another worker if there is one.
  int retries = 0;
  /// What becomes of items that fail all the same; by default the first error, by the items' order, ends the map.
  map_error_handler on_error = {};
  /// Shows on stderr, if that is a terminal, how far the map has come.
  bool progress = false;
  /// Called with the number of items that are done, and of all (0 if the range does not know its size), before the first
  /// item is sent, and whenever more are done; on the thread that called map. What it throws ends the map.
  std::function<void(std::size_t done, std::size_t total)> on_progress = {};
  /// Those that are to do it; none: all of the session, those that come meanwhile included.
  std::vector<weir::worker> workers = {};
};

}  // namespace weir
