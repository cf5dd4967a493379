// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir::shm {

/// "0 B", "900 B", "1.5 KiB", "8.0 MiB": what people read.
[[nodiscard]] std::string readable(std::size_t bytes);

/// Free bytes of the file system that `fd` lies on; the largest number if it has no limit.
[[nodiscard]] std::size_t free_file_space(int fd) noexcept;

/// Memory that can be had without swapping, as the kernel estimates it (MemAvailable); the largest number if unknown.
[[nodiscard]] std::size_t available_memory() noexcept;

/// Reserves [offset, offset + bytes) of a shared-memory file, so that writing there cannot fail (with SIGBUS).
/// Looks at free space and memory first, since reserving far too much can bring the machine down before it fails.
/// Throws no_space, saying how much was asked and how much is free; nothing new is reserved then.
void reserve_file_space(int fd, std::string_view operation, std::size_t offset, std::size_t bytes);

}  // namespace weir::shm
