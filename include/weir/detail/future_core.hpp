// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/detail/channel_core.hpp"
#include "weir/detail/futex_word.hpp"
#include "weir/detail/payload.hpp"
#include "weir/ids.hpp"

/// The untyped future: what future<T> stands on. Any thread may call anything at any time.
namespace weir::detail {

class future_core;  // lib/runtime/future_core.hpp
using future_handle = std::shared_ptr<future_core>;

/// Waits until the result is there, the call has failed, or it is known never to come. False: not until the deadline.
bool wait_settled(const future_handle& future, deadline until);
/// wait_settled() would not wait.
[[nodiscard]] bool is_settled(const future_handle& future) noexcept;
/// Throws invalid_argument for a future that refers to nothing.
void check_valid(const future_handle& future);

/// A future as select waits for it. One thread at a time.
class future_watch {
 public:
  /// Throws invalid_argument for a future that refers to nothing.
  explicit future_watch(future_handle future);
  future_watch(const future_watch&) = delete;
  future_watch& operator=(const future_watch&) = delete;
  ~future_watch();
  /// wait_settled() would not wait, or not for long.
  [[nodiscard]] bool is_ready();
  /// To be called before each sleep: what to sleep on. Nothing: look again.
  [[nodiscard]] std::optional<futex_word> word_to_sleep_on();
  /// The sleeping is over.
  void slept() noexcept;

 private:
  struct callee;
  future_handle future_;
  std::unique_ptr<callee> callee_;  // once it has come to sleeping
};

/// A result's bytes, read in place; valid while this lives.
class result_bytes {
 public:
  /// Waits. Throws what the call threw (remote_error), worker_died, no_space.
  explicit result_bytes(future_handle future);
  result_bytes(const result_bytes&) = delete;
  result_bytes& operator=(const result_bytes&) = delete;
  ~result_bytes();
  /// What the encoder of the result wrote.
  [[nodiscard]] std::span<const std::byte> body() const noexcept { return body_; }

 private:
  struct hold;
  future_handle future_;
  std::unique_ptr<hold> hold_;  // of a segment that holds this one result, if it is large
  std::span<const std::byte> body_;
};

/// A future that this process fulfils itself. Throws not_in_session, no_space.
[[nodiscard]] future_handle make_promise();
/// Throws no_space. To be called once, or fail().
void fulfil(const future_handle& promise, encoder& value);
/// The future's get() throws `error` as it is, if it came from another future, else as a remote_error of this process.
/// Never throws: an error that does not fit is cut short.
void fail(const future_handle& promise, const std::exception_ptr& error, bool from_future) noexcept;

enum class settled { all, any };
/// Where an action runs: `as_call` as calls do, on a thread of this process, one at a time with them; `at_once` on the
/// thread that watches futures, which it must not hold up.
enum class run { as_call, at_once };
/// Runs `action` once all, or one, of the futures are settled; never, if the session ends before.
void when_settled(std::vector<future_handle> futures, settled which, run where, std::function<void()> action);

/// How a future travels: see handle_traits.hpp. `reference_to` pins.
[[nodiscard]] std::string reference_to(const future_handle& future);
[[nodiscard]] future_handle attach_future(std::string_view reference);

}  // namespace weir::detail
