// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "weir/codec.hpp"
#include "weir/detail/call.hpp"
#include "weir/detail/session_core.hpp"
#include "weir/future.hpp"
#include "weir/globals.hpp"
#include "weir/ids.hpp"

namespace weir {

/// A process of the session, to call functions on: a worker, or with id 1 the control process, whose calls run on a
/// thread of their own there. A handle: copyable, and can be sent to any process of the session.
///
/// What can be called: a function, or a lambda without captures. Its arguments are converted to the function's parameter
/// types and taken at once; they and the result travel as in codec.hpp.
///
/// Waiting   call and post return as soon as the call is sent (a full inbox makes them wait); fetch and global wait for
///           the answer. None waits for a process that has died.
/// Threads   any member, any thread, any process of the session, concurrently.
/// Ordering  calls that one thread makes to one worker begin in the order made. One runs at a time there (see
///           worker_options); one that waits in weir lets the next begin. What a function prints comes out before its
///           result is delivered.
/// Errors    all throw worker_died if the worker has gone, before or meanwhile; no_space if shared memory is full.
class worker {
 public:
  /// Refers to no process, for containers: its id is 0, it is not alive, and calling it throws invalid_argument.
  worker() noexcept = default;
  /// Throws not_in_session if the program has no session, not_found for a number that was never given to a process.
  explicit worker(process_id id) : peer_(detail::find_peer(id)) {}

  [[nodiscard]] process_id id() const noexcept { return detail::id_of(peer_); }
  /// true is stale as soon as it is returned; false is not: calls throw worker_died from then on.
  [[nodiscard]] bool is_alive() const noexcept { return detail::is_alive(peer_); }

  /// Calls f(arguments...) there. Returns at once.
  template <class F, class... Args>
  auto call(F f, Args&&... arguments) const -> future<detail::call_result<F, Args...>> {
    return detail::make_call(
        f,
        [this](const detail::call_target& target, detail::encoder& encoded) {
          return detail::future_access::make<detail::call_result<F, Args...>>(
              detail::send_call(peer_, target, encoded));
        },
        std::forward<Args>(arguments)...);
  }

  /// Calls f(arguments...) there and waits for its value. Throws what future::get() throws.
  template <class F, class... Args>
  auto fetch(F f, Args&&... arguments) const -> detail::call_result<F, Args...> {
    return call(std::move(f), std::forward<Args>(arguments)...).get();
  }

  /// Calls f(arguments...) there; its value is dropped, and what it throws is printed on that worker's stderr.
  template <class F, class... Args>
  void post(F f, Args&&... arguments) const {
    detail::make_call(
        f,
        [this](const detail::call_target& target, detail::encoder& encoded) {
          detail::send_post(peer_, target, encoded);
        },
        std::forward<Args>(arguments)...);
  }

  /// A copy of the value that weir::globals() has under that name there. Throws undefined_global, type_mismatch.
  template <class T>
  [[nodiscard]] T global(std::string_view name) const;

  friend bool operator==(const worker& a, const worker& b) noexcept { return a.id() == b.id(); }

 private:
  detail::peer_handle peer_;
};

/// `worker 2`
std::ostream& operator<<(std::ostream& out, const worker& w);

template <class T>
T worker::global(std::string_view name) const {
  const future<T> value = call([](const std::string& wanted) { return globals().get<T>(wanted); }, std::string(name));
  return detail::without_remote_error([&] { return value.get(); });
}

template <>
struct detail::handle_traits<worker> {
  static const item_type& type();
  static std::string reference(const worker& handle);
  static worker attach(std::string_view reference);
};

}  // namespace weir
