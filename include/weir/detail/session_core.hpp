// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "weir/detail/future_core.hpp"
#include "weir/detail/payload.hpp"
#include "weir/ids.hpp"

/// Calls without their types: what worker and session stand on. Any thread may call anything at any time.
namespace weir::detail {

class peer;  // lib/runtime/peer.hpp: another process of the session, or this one, as calls see it
using peer_handle = std::shared_ptr<peer>;

/// Throws not_in_session, not_found (an id that was never used).
[[nodiscard]] peer_handle find_peer(process_id id);
/// 0 for a handle to no process.
[[nodiscard]] process_id id_of(const peer_handle& to) noexcept;
/// Stale as soon as it is returned.
[[nodiscard]] bool is_alive(const peer_handle& to) noexcept;

/// A call that has arrived: what a trampoline gets its arguments from and leaves its result with.
class incoming_call {
 public:
  incoming_call(const incoming_call&) = delete;
  incoming_call& operator=(const incoming_call&) = delete;
  /// The function to be called, if the call names one.
  [[nodiscard]] virtual const void* function() const noexcept = 0;
  /// What the caller encoded. Valid until arguments_taken().
  [[nodiscard]] virtual std::span<const std::byte> arguments() const = 0;
  /// To be called once the arguments have been decoded: frees the memory they came in.
  virtual void arguments_taken() = 0;
  /// False: the result would be thrown away, it need not be encoded.
  [[nodiscard]] virtual bool wants_result() const noexcept = 0;
  /// To be called once, by a function that does not throw. Throws no_space.
  virtual void give_result(encoder& value) = 0;

 protected:
  incoming_call() = default;
  ~incoming_call() = default;
};

/// Decodes the arguments, calls the function and gives its result. What it throws is the caller's to see.
using trampoline = void (*)(incoming_call& call);

struct call_target {
  trampoline code = nullptr;
  const void* function = nullptr;
};

/// Sends the call; the arguments have been taken when it returns. Waits while the worker is being started and while its
/// inbox is full. Throws worker_died (the worker has gone), no_space, invalid_argument (a handle to no process; a function that is in no loaded file).
[[nodiscard]] future_handle send_call(const peer_handle& to, const call_target& target, encoder& arguments);
/// The same, without an answer. What the function throws is printed on the worker's stderr.
void send_post(const peer_handle& to, const call_target& target, encoder& arguments);

}  // namespace weir::detail
