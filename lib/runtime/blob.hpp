// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "segment/segment.hpp"

/// Messages too large for a block have a segment of their own: the header's page, then the bytes.
namespace weir::runtime {

using byte_parts = std::span<const std::span<const std::byte>>;

[[nodiscard]] std::size_t total_bytes(byte_parts parts) noexcept;
/// Copies the parts to `to`, one after the other.
void gather(byte_parts parts, std::byte* to) noexcept;

/// Makes the segment `name` with the parts' bytes. Throws no_space, already_exists. Nobody needs to keep it mapped.
void write_blob(std::string_view operation, const std::string& name, byte_parts parts);

/// A blob's bytes, mapped while this lives.
class mapped_blob {
 public:
  mapped_blob() = default;
  /// Throws not_found, corrupt_segment (fewer than `bytes` in it), and as segment::open.
  mapped_blob(std::string_view operation, std::string_view name, std::size_t bytes);
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {segment_.base() + shm::kPage, bytes_}; }
  void remove() noexcept { segment_.remove_own_name(); }

 private:
  shm::segment segment_;
  std::size_t bytes_ = 0;
};

/// Removes the blob of that name, if there is one.
void remove_blob(std::string_view name) noexcept;
/// Removes all blobs whose names begin so.
void remove_blobs(std::string_view prefix) noexcept;

}  // namespace weir::runtime
