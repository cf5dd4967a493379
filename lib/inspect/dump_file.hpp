// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "segment/new_file.hpp"
#include "segment/segment.hpp"
#include "weir/detail/item_type.hpp"

/// The items of a channel in an ordinary file, as `weir dump` writes them. docs/dump-format.md says the same for people.
namespace weir::inspect {

// A dump, version 1. Host byte order (little endian on all machines that weir runs on), nothing but what is here.
// byte  field               meaning
//    0  magic               `weirdump`
//    8  version             1
//   12  header_bytes        where the items begin: 112 and the two names, rounded up to 16
//   16  item_kind           of item_type, as in the channel's segment; likewise the next three
//   20  fixed_bytes
//   24  element_bytes
//   28  type_bytes          length of the type's name
//   32  element_name_bytes  length of the elements' type's name
//   36  zero
//   40  capacity            of the channel
//   48  max_item_bytes      of the channel, likewise
//   56  idle_block_bytes
//   64  count               items in the file
//   72  item_bytes          of all items, without what lies between them
//   80  file_bytes          length of the file
//   88  items_checksum      the last item's
//   96  header_checksum     of all header_bytes, this field being 0
//  104  zero
//  112  type name, element type's name, zeros up to header_bytes; then for each item:
//         0  bytes      its length
//         8  checksum   of the checksum of the item before (of the first one: 0), the length, and the bytes
//        16  its bytes, then zeros up to a multiple of 8
// Checksums are FNV-1a, 64 bits, so one item more or less or in another place is found too.
struct dump_header {
  char magic[8];
  std::uint32_t version;
  std::uint32_t header_bytes;
  std::uint32_t item_kind;
  std::uint32_t fixed_bytes;
  std::uint32_t element_bytes;
  std::uint32_t type_bytes;
  std::uint32_t element_name_bytes;
  std::uint32_t zero;
  std::uint64_t capacity;
  std::uint64_t max_item_bytes;
  std::uint64_t idle_block_bytes;
  std::uint64_t count;
  std::uint64_t item_bytes;
  std::uint64_t file_bytes;
  std::uint64_t items_checksum;
  std::uint64_t header_checksum;
  std::uint64_t zero_too;
};
static_assert(std::is_standard_layout_v<dump_header> && std::is_trivially_copyable_v<dump_header>);
static_assert(offsetof(dump_header, capacity) == 40 && offsetof(dump_header, count) == 64);
static_assert(offsetof(dump_header, header_checksum) == 96 && sizeof(dump_header) == 112);

/// What a dump is of.
struct dump_description {
  std::string type;
  std::string element_name;
  detail::item_kind item_kind{};
  std::uint32_t fixed_bytes = 0;
  std::uint32_t element_bytes = 0;
  std::uint64_t capacity = 0;
  std::uint64_t max_item_bytes = 0;
  std::uint64_t idle_block_bytes = 0;
  std::uint64_t count = 0;       ///< of a dump that is read
  std::uint64_t item_bytes = 0;  ///< likewise

  /// As channels are made with; valid as long as this is.
  [[nodiscard]] detail::item_type item_type() const;
};

/// Writes one. Throws as shm::new_file, which `advice` is for.
class dump_writer {
 public:
  dump_writer(std::string_view path, bool overwrites, dump_description what, std::string_view advice = {});
  void add(std::span<const std::byte> item);
  /// Gives the file its name.
  void finish();
  [[nodiscard]] const dump_description& description() const noexcept { return what_; }

 private:
  void write_header();
  shm::new_file file_;
  dump_description what_;
  std::uint64_t checksum_ = 0;
};

/// Reads one. Throws not_found, permission_denied, invalid_argument (no file) and corrupt_segment: the file is damaged,
/// or was never a dump.
class dump_reader {
 public:
  /// Reads all of it, and so finds any damage.
  explicit dump_reader(std::string_view path);
  [[nodiscard]] const dump_description& description() const noexcept { return what_; }
  /// The next item; nothing after the last one. It is checked once more.
  std::optional<std::vector<std::byte>> next();

 private:
  void read_header();
  void check_description() const;
  void read(std::uint64_t offset, std::span<std::byte> out) const;
  [[noreturn]] void refuse(std::string_view why) const;
  void rewind() noexcept;

  std::string path_;
  shm::unique_fd file_;
  dump_description what_;
  std::uint64_t header_bytes_ = 0;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t items_checksum_ = 0;
  std::uint64_t at_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t checksum_ = 0;
};

}  // namespace weir::inspect
