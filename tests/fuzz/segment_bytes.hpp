// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "segment/segment.hpp"

namespace weir::fuzz {

/// The bytes of a sound segment, as it lay in its file: where they are not zero, page by page.
class segment_image {
 public:
  /// Of the segment `name` (without `weir.`), which must be there; its name is removed.
  explicit segment_image(const std::string& name);

  struct page {
    std::uint64_t offset;
    std::vector<std::byte> bytes;
  };
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::uint64_t file_bytes() const noexcept { return file_bytes_; }
  [[nodiscard]] std::span<const page> pages() const noexcept { return pages_; }

 private:
  std::string name_;
  std::uint64_t file_bytes_ = 0;
  std::vector<page> pages_;
};

/// A file in /dev/shm with an image's bytes, under the image's name; removed when this is destroyed, or the program ends.
class segment_file_copy {
 public:
  explicit segment_file_copy(const segment_image& image);
  segment_file_copy(const segment_file_copy&) = delete;
  segment_file_copy& operator=(const segment_file_copy&) = delete;
  ~segment_file_copy();

  /// What lies beyond the file's end is not written.
  void write(std::uint64_t offset, std::span<const std::byte> bytes) const;
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void write(std::uint64_t offset, const T& value) const { write(offset, std::as_bytes(std::span(&value, 1))); }
  /// Zeros where the file has no bytes.
  [[nodiscard]] std::uint64_t word_at(std::uint64_t offset) const;
  /// Shorter or longer; `honest`: the header says so too.
  void resize(std::uint64_t bytes, bool honest);
  [[nodiscard]] std::uint64_t file_bytes() const noexcept { return file_bytes_; }

 private:
  std::string path_;
  shm::unique_fd file_;
  std::uint64_t file_bytes_;
};

/// `fuzz-WORD-PID`: a name that no other process uses.
[[nodiscard]] std::string own_name(const std::string& word);

}  // namespace weir::fuzz
