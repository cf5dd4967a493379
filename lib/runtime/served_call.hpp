// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "runtime/output.hpp"
#include "runtime/session_layout.hpp"
#include "weir/detail/channel_core.hpp"

namespace weir::runtime {

class member;

/// The exit status of a worker that cannot do its part.
inline constexpr int kExitCannotServe = 125;

/// What is to be done with a message.
enum class served { call, end };

/// What a message asks for. A message that is too short to be one counts as a call, which will fail.
[[nodiscard]] served kind_of_message(const detail::taken_item& message) noexcept;

/// Runs the call in the message and stores its answer, or prints what it threw if no answer is wanted. `gate`: holds the
/// answer back until the call's output has been printed; null if nobody forwards that. `noted_in`:
/// where to say what runs; null: nowhere. Throws nothing.
void serve_call(member& self, detail::taken_item message, output_gate* gate, run_entry* noted_in) noexcept;

/// Takes back what a message keeps alive that nobody will serve.
void drop_message(const detail::taken_item& message) noexcept;

}  // namespace weir::runtime
