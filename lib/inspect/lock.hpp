// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "inspect/channel.hpp"
#include "inspect/channel_snapshot.hpp"
#include "sync/robust_mutex.hpp"

namespace weir::inspect {

/// The process that a running thread of this pid namespace belongs to; 0: there is no such thread.
[[nodiscard]] std::int32_t process_of_thread(std::int32_t thread);

/// Name of the program that a process runs, as the kernel knows it (15 characters at most); empty: not known.
[[nodiscard]] std::string program_of(std::int32_t pid);

/// The words of a copy of a robust mutex.
[[nodiscard]] lock_words words_of(const sync::robust_mutex& mutex);

/// What a robust mutex's words say of its holder. `pid_namespace`: where its threads are numbered.
[[nodiscard]] lock_report describe_lock(const lock_words& words, std::uint32_t pid_namespace,
                                        std::span<const participant_report> participants);

}  // namespace weir::inspect
