// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <optional>

#include "segment/process_identity.hpp"
#include "weir/error.hpp"
#include "weir/ids.hpp"

/// Channels that end with a process (channel::on, close_when_gone), and what they need to know of workers. Workers are
/// the runtime's business, a higher layer: it gives its answers here.
namespace weir::channels {

struct worker_directory {
  /// The process that has this number in the session; throws not_in_session, not_found.
  shm::process_identity (*identity)(process_id id) = nullptr;
  /// How it ended; nothing if it has not, or if that is not known (yet).
  std::optional<exit_report> (*how_it_ended)(process_id id) = nullptr;
};
/// Set once, before channels are bound.
void set_worker_directory(worker_directory directory) noexcept;

/// Throws not_in_session without a directory, and what the directory throws.
[[nodiscard]] shm::process_identity identity_of_worker(process_id id);
[[nodiscard]] std::optional<exit_report> how_it_ended(process_id id) noexcept;

/// Closes every channel that is bound to that process, in every segment of this user. Damaged segments are passed over.
void close_channels_of(const shm::process_identity& who, const exit_report& report) noexcept;

}  // namespace weir::channels
