// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "segment/segment.hpp"

namespace weir::inspect {

/// What st_blocks counts in, whatever the file system (stat(2)).
inline constexpr std::uint64_t kStatBlock = 512;

/// A segment's file, opened to be read and for nothing else. Never maps; never waits (a FIFO of that name does not hang).
class segment_file {
 public:
  enum class access { absent, foreign, unreadable, readable };

  /// `name` without `weir.`. Another user's file is not opened.
  explicit segment_file(std::string_view name);

  [[nodiscard]] access can() const noexcept { return access_; }
  /// What is wrong with a file that is not readable.
  [[nodiscard]] const std::string& why() const noexcept { return why_; }
  [[nodiscard]] std::uint32_t owner() const noexcept { return owner_; }
  [[nodiscard]] std::uint64_t file_bytes() const noexcept { return file_bytes_; }
  [[nodiscard]] std::uint64_t reserved_bytes() const noexcept { return reserved_bytes_; }

  /// For locks to be looked for; -1: not opened.
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

  /// False: the file is shorter, or cannot be read.
  bool read(std::uint64_t offset, std::span<std::byte> out) const noexcept;

  /// The first sizeof(Row) bytes of each of `count` entries that lie `stride` bytes apart. Fewer: the file is shorter.
  template <class Row>
  [[nodiscard]] std::vector<Row> read_rows(std::uint64_t offset, std::uint64_t count, std::size_t stride) const {
    static_assert(std::is_trivially_copyable_v<Row>);
    constexpr std::size_t kAtOnce = std::size_t{256} << 10U;
    std::vector<Row> rows;
    rows.reserve(count);
    std::vector<std::byte> chunk(std::min<std::uint64_t>(count, std::max<std::size_t>(kAtOnce / stride, 1)) * stride);
    while (rows.size() < count) {
      const auto bytes = std::span(chunk).first(std::min<std::uint64_t>(chunk.size(), (count - rows.size()) * stride));
      if (!read(offset + rows.size() * stride, bytes)) break;
      for (std::size_t at = 0; at < bytes.size(); at += stride) {
        std::memcpy(&rows.emplace_back(), bytes.data() + at, sizeof(Row));
      }
    }
    return rows;
  }

 private:
  shm::unique_fd fd_;
  access access_ = access::absent;
  std::string why_;
  std::uint32_t owner_ = 0;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t reserved_bytes_ = 0;
};

}  // namespace weir::inspect
