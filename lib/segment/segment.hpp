// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/interprocess/mapped_region.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "segment/header_layout.hpp"
#include "weir/detail/item_type.hpp"
#include "weir/ids.hpp"

namespace weir::shm {

/// A file descriptor that closes itself.
class unique_fd {
 public:
  unique_fd() = default;
  explicit unique_fd(int fd) noexcept : fd_(fd) {}
  unique_fd(unique_fd&& other) noexcept : fd_(other.release()) {}
  unique_fd& operator=(unique_fd&& other) noexcept;
  ~unique_fd() { reset(); }
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
  int release() noexcept;
  void reset() noexcept;

 private:
  int fd_ = -1;
};

/// Address space that this process's segments take, all together.
[[nodiscard]] std::size_t mapped_bytes() noexcept;

/// Counts bytes among mapped_bytes() while it lives.
class mapped_account {
 public:
  mapped_account() = default;
  explicit mapped_account(std::size_t bytes) noexcept;
  mapped_account(mapped_account&& other) noexcept;
  mapped_account& operator=(mapped_account&& other) noexcept;
  ~mapped_account();

 private:
  std::size_t bytes_ = 0;
};

/// What a new segment's header says.
struct segment_spec {
  std::string name;  ///< without `weir.`
  object_kind kind = object_kind::blob;
  detail::item_type type;
  bool named = false;
  process_id where = kControlProcess;
  process_id whence = kControlProcess;
  std::uint64_t id = 0;
};

enum class access { read, read_and_write };

/// A segment's open file, and a copy of its header, which has been checked.
struct segment_look {
  unique_fd file;
  std::unique_ptr<segment_header> header;
  std::uint64_t file_number = 0;
};

/// Opens a segment of any kind without mapping it; to read it leaves no trace. Waits for nothing, whatever lies at its
/// name; follows no symbolic link. Throws not_found, permission_denied, corrupt_segment, layout_mismatch.
[[nodiscard]] segment_look look_at_segment(std::string_view operation, std::string_view name, access how);

/// A mapped segment. The file is sparse: memory is used only where reserve() was called or bytes were written; bytes
/// that were not reserved must not be written, since a full file system would answer with SIGBUS.
/// Movable; unmapped (not removed) when destroyed. Throws the errors of weir/error.hpp; messages begin with `operation`.
class segment {
 public:
  segment() = default;

  /// Makes a file of `file_bytes` (sparse), reserves and maps it, lets `fill` reserve more and write what follows the header, then gives
  /// it its name: it appears whole or not at all, whenever its creator dies. Only the first `reserved_bytes` may be
  /// written by `fill`. Throws already_exists, no_space, permission_denied.
  static segment create(std::string_view operation, const segment_spec& spec, std::size_t file_bytes,
                        std::size_t reserved_bytes, const std::function<void(segment& made)>& fill);

  /// Maps an existing one after checking owner, length, magic, layout and kind. Throws not_found, permission_denied,
  /// corrupt_segment, layout_mismatch, type_mismatch (another kind of object).
  static segment open(std::string_view operation, std::string_view name, object_kind kind);

  /// Removes the name. Throws not_found, permission_denied (another user's).
  static void remove(std::string_view operation, std::string_view name);

  /// Reserves memory for [offset, offset + bytes). Throws no_space; nothing is reserved then.
  void reserve(std::string_view operation, std::size_t offset, std::size_t bytes);
  /// Gives memory back; the bytes read as zero afterwards. Only whole pages inside the range.
  void give_back(std::size_t offset, std::size_t bytes) noexcept;

  /// Sets header().removed and unlinks the name, if that still names this very file.
  void remove_own_name() noexcept;
  /// False: its name was removed, and is nobody's or another file's now.
  [[nodiscard]] bool has_its_name() const noexcept;
  /// It has no name at all any more. Looks at the file, not at the mapping.
  [[nodiscard]] bool is_unlinked() const noexcept;

  /// Copies bytes out through the file: safe where the mapping has no memory behind it. False: could not be read.
  bool read(std::size_t offset, std::span<std::byte> out) const noexcept;
  /// A sign of life that processes of other pid namespaces see: a lock on a byte of the file, which goes when this
  /// mapping has gone from the process and those that it has forked. Each byte has one holder. False: it cannot be had.
  [[nodiscard]] bool show_life(std::size_t offset, std::size_t bytes = 1) const noexcept;
  void stop_showing_life(std::size_t offset, std::size_t bytes = 1) const noexcept;
  /// Not of this process itself. True if it cannot be told.
  [[nodiscard]] bool sees_life(std::size_t offset) const noexcept;

  /// Tells this file from any other that exists now.
  [[nodiscard]] std::uint64_t file_number() const noexcept { return file_number_; }

  [[nodiscard]] std::byte* base() const noexcept { return static_cast<std::byte*>(region_.get_address()); }
  [[nodiscard]] std::size_t bytes() const noexcept { return region_.get_size(); }
  [[nodiscard]] segment_header& header() const noexcept { return *reinterpret_cast<segment_header*>(base()); }
  /// Our copy: what lies in the header may be damaged meanwhile.
  [[nodiscard]] std::string_view name() const noexcept { return name_; }
  /// Bytes of the file that have memory; 0 if that cannot be known.
  [[nodiscard]] std::size_t memory() const noexcept;
  template <class T>
  [[nodiscard]] T* at(std::size_t offset) const noexcept {
    return reinterpret_cast<T*>(base() + offset);
  }

 private:
  unique_fd file_;
  std::uint64_t file_number_ = 0;
  std::string name_;
  boost::interprocess::mapped_region region_;
  mapped_account account_;
};

/// Names (without `weir.`) of all weir's files, sorted; `prefix` limits them.
[[nodiscard]] std::vector<std::string> list_segments(std::string_view prefix = {});

/// While one of these lives in a process, segments can be created there; see stop_creating().
/// For ever keeps every other thread of this process from creating segments, waiting for those that are at it: what a
/// dying process calls before it sweeps, so that nothing appears behind its back.
void stop_creating() noexcept;

}  // namespace weir::shm
