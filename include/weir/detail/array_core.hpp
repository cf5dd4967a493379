// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "weir/array_options.hpp"
#include "weir/detail/item_type.hpp"
#include "weir/ids.hpp"

namespace weir {
class array_mutex;
}

/// The untyped array: what array<T, Rank>, distributed arrays and the tests stand on. Elements are runs of bytes.
/// All functions may be called from any thread of any process that has a handle; none waits unless it says so. Errors
/// are those of weir/error.hpp; but for data_of() and strides a handle used in a forked child throws invalid_argument.
namespace weir::detail {

class array_core;  // lib/array/array_core.hpp
using array_handle = std::shared_ptr<array_core>;

struct array_shape {
  std::uint32_t rank = 0;
  weir::order order = weir::order::row_major;
  std::array<std::size_t, kMaxRank> extents{};  ///< those from `rank` on are 0
  friend bool operator==(const array_shape&, const array_shape&) = default;
};
/// Distance of neighbours in each dimension, in elements.
[[nodiscard]] std::array<std::size_t, kMaxRank> strides_of(const array_shape& shape) noexcept;
/// "100x20"
[[nodiscard]] std::string text_of(const array_shape& shape);

// ---------------------------------------------------------------------------------------------------- make and find

/// at_once: all elements have memory when the array is made. later: the maker calls reserve_array().
enum class reserve_when { at_once, later };

/// `where`: the process it lives with; 0: this one. Throws invalid_argument (extents), no_space.
array_handle create_unnamed_array(const item_type& type, const array_shape& shape, const array_options& options,
                                  process_id where, reserve_when when);
/// Throws already_exists, invalid_argument (name, extents), no_space, permission_denied.
array_handle create_named_array(std::string_view name, const item_type& type, const array_shape& shape,
                                const array_options& options);
/// Throws not_found, type_mismatch, layout_mismatch, corrupt_segment, permission_denied, invalid_argument (name).
array_handle open_named_array(std::string_view name, const item_type& type);
/// As open_named_array where it exists, else as create_named_array; invalid_argument if it has another shape.
array_handle open_or_create_named_array(std::string_view name, const item_type& type, const array_shape& shape,
                                        const array_options& options);
void remove_named_array(std::string_view name);

/// Maps the file, which is made if there is none. Throws invalid_argument (too short, not an ordinary file, extents),
/// permission_denied, not_found (no such folder), type_mismatch (mapped as something else already), no_space.
array_handle map_array_file(const std::filesystem::path& path, const item_type& type, const array_shape& shape,
                            const array_options& options);
/// Maps the elements of an existing .npy file. `descr`: what its header must say of their type, `<f8`.
array_handle map_array_npy(const std::filesystem::path& path, const item_type& type, std::uint32_t rank,
                           std::string_view descr);
/// Replaces the file by a new one, in one step.
void write_array_npy(const array_core& core, const std::filesystem::path& path, std::string_view descr);

/// Gives memory to a part of the elements, so that it lies with the calling process: idempotent, and keeps what is
/// there. Throws no_space.
void reserve_array(array_core& core, std::size_t first_byte, std::size_t bytes);
/// The same of all of it, and enters it in this process's page tables.
void first_touch_array(array_core& core);

// ------------------------------------------------------------------------------------------- sending handles around

/// Every reference begins so. What follows a '?' is for higher layers.
inline constexpr std::string_view kArrayReference = "/array/";
/// Name under which any process can attach; what a handle becomes in a message. Pins: an unnamed array lives on while a
/// reference is under way. detail::unpin() takes that back.
[[nodiscard]] std::string pin_array(const array_handle& core);
/// Attaches by such a name. Throws as open_named_array.
array_handle attach_array(std::string_view reference, const item_type& type);

// ------------------------------------------------------------------------------------------------------------- looks

[[nodiscard]] std::byte* data_of(const array_handle& core) noexcept;
/// As it is now: resize_array_rows changes the first extent.
[[nodiscard]] array_shape shape_of(const array_core& core);
void resize_array_rows(array_core& core, std::size_t rows);
[[nodiscard]] array_mutex& mutex_of(array_core& core) noexcept;
[[nodiscard]] std::string name(const array_core& core);
[[nodiscard]] process_id where(const array_core& core);
[[nodiscard]] process_id whence(const array_core& core);
[[nodiscard]] std::uint64_t id(const array_core& core);

[[noreturn]] void throw_no_array(std::string_view type);
/// std::out_of_range.
[[noreturn]] void throw_out_of_range(const array_core& core, std::span<const std::size_t> indices);
void print_array(std::ostream& out, std::string_view type, const array_handle& core);

}  // namespace weir::detail
