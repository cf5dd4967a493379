// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "array/array_core.hpp"

/// Arrays whose elements lie in an ordinary file. What else an array has (extents, seats, lock) is in a segment named
/// after the file, which all share that map it; the last one out removes it.
namespace weir::detail {

/// Opens a file to map it. Throws permission_denied, not_found, invalid_argument (no ordinary file).
shm::unique_fd open_elements(std::string_view operation, const std::string& path);

/// Attaches to one whose segment is there: opens the file that it names. Throws not_found (it is there no more).
std::unique_ptr<array_core> attach_file_bound(std::string_view operation, shm::segment segment,
                                              const arrays::checked_constants& constants);

/// Maps elements that lie from constants.data_offset on in that file.
array_handle map_elements(std::string_view operation, const std::string& path, shm::unique_fd file,
                          const item_type& type, const arrays::checked_constants& constants);

/// Makes bytes [old_end, new_end) of the file zero, with space on the disk. Throws no_space.
void lengthen_file(std::string_view operation, std::string_view name, int fd, std::size_t old_end, std::size_t new_end);
/// Cuts the file at new_end, if it ends at old_end: what is behind an array's elements is not the array's.
void shorten_file(int fd, std::size_t old_end, std::size_t new_end) noexcept;

}  // namespace weir::detail
