// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "array/array_core.hpp"
#include "segment/segment.hpp"

/// Making, finding and sharing this process's attachments: one array_core for each array, however many handles.
namespace weir::detail {

/// Throws corrupt_segment unless the segment's bytes are an array that hangs together.
arrays::checked_constants check_array(std::string_view operation, const shm::segment& segment);
/// Throws type_mismatch.
void check_array_type(std::string_view operation, const shm::segment& segment, const item_type& type);

/// Makes the segment. The elements' memory is reserved unless it is for later, or the elements lie elsewhere.
shm::segment make_array_segment(std::string_view operation, const shm::segment_spec& spec,
                                const arrays::checked_constants& constants, reserve_when when,
                                const std::string& path_of_elements = {}, std::uint64_t device = 0,
                                std::uint64_t file_number = 0);

/// The attachment to that very segment file that this process has already; null: none.
array_handle known_array(std::uint64_t file_number);
/// As known_array, of an unnamed array, whose name is never used twice.
array_handle known_array_by_name(std::string_view segment_name);
/// Enters a new one; another thread may have been quicker: then that one's.
array_handle remember_array(std::unique_ptr<array_core> core);

/// Attaches; null `type`: whatever it is.
array_handle attach_array_segment(std::string_view operation, std::string_view segment_name, const item_type* type);

/// Removes a user's name, whatever it stands for. Throws not_found, permission_denied.
void remove_named_array_segment(std::string_view operation, std::string_view name);

/// Removes an array's name unless a process has it, whether references are under way or not; also a damaged one's.
void remove_array_unless_attached(std::string_view segment_name) noexcept;

/// cleared: removed. gone: nothing has that name (any more). in_use: nothing was done.
enum class abandoned_array { cleared, gone, in_use };
/// Removes the name of an array that no process has, and that no more than `most_pins` references keep. Throws
/// corrupt_segment, permission_denied, no_space.
abandoned_array remove_abandoned_array(std::string_view segment_name, std::int32_t most_pins);

}  // namespace weir::detail
