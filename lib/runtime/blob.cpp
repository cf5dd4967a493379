// SPDX-License-Identifier: BSL-1.0
#include "runtime/blob.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <exception>

#include "weir/error.hpp"
#include "weir/ids.hpp"

namespace weir::runtime {

std::size_t total_bytes(byte_parts parts) noexcept {
  std::size_t bytes = 0;
  for (const auto& part : parts) bytes += part.size();
  return bytes;
}

void gather(byte_parts parts, std::byte* to) noexcept {
  for (const auto& part : parts) {
    if (!part.empty()) std::memcpy(to, part.data(), part.size());
    to += part.size();
  }
}

void write_blob(std::string_view operation, const std::string& name, byte_parts parts) {
  shm::segment_spec spec;
  spec.name = name;
  spec.kind = shm::object_kind::blob;
  spec.where = my_id();
  spec.whence = my_id();
  const std::size_t file_bytes = shm::kPage + total_bytes(parts);
  shm::segment::create(operation, spec, file_bytes, file_bytes,
                       [&](shm::segment& segment) { gather(parts, segment.base() + shm::kPage); });
}

mapped_blob::mapped_blob(std::string_view operation, std::string_view name, std::size_t bytes)
    : segment_(shm::segment::open(operation, name, shm::object_kind::blob)), bytes_(bytes) {
  // All of it has had memory since it was made; a file that only says that it is long is no blob.
  const std::size_t have = std::min(segment_.bytes(), std::max(segment_.memory(), shm::kPage)) - shm::kPage;
  if (have < bytes) {
    throw corrupt_segment(fmt::format("weir: {} \"{}\": {} bytes expected, it has {}", operation, name, bytes, have));
  }
}

void remove_blob(std::string_view name) noexcept {
  try {
    shm::segment::remove("remove", name);
  } catch (const std::exception&) {
    // Gone already, or not ours: there is nothing to remove.
  }
}

void remove_blobs(std::string_view prefix) noexcept {
  try {
    for (const std::string& name : shm::list_segments(prefix)) remove_blob(name);
  } catch (const std::exception&) {
    // Out of memory: the end of the session removes them.
  }
}

}  // namespace weir::runtime
