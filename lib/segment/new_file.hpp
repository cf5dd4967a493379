// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "segment/segment.hpp"

namespace weir::shm {

/// An ordinary file that is written and then appears whole, or not at all: until commit() it has no name, or, where the
/// file system cannot do that, one beside its own. If this is destroyed before, or its process is killed, it is gone (in
/// the second case, on such file systems, but for what lies beside).
/// Throws not_found (no such folder), already_exists, permission_denied, no_space, invalid_argument; messages begin with
/// `weir: OPERATION "PATH"`.
class new_file {
 public:
  /// `overwrites`: takes the place of what has that name; else that is already_exists, now or when it is committed, with
  /// `advice` at the end of its message.
  new_file(std::string_view operation, std::string_view path, bool overwrites, std::string_view advice = {});
  new_file(const new_file&) = delete;
  new_file& operator=(const new_file&) = delete;
  ~new_file();

  /// At its end.
  void write(std::span<const std::byte> bytes);
  /// Over what is there, or beyond the end.
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  /// Where the next write() goes.
  [[nodiscard]] std::uint64_t end() const noexcept { return end_; }
  /// Gives it its name.
  void commit();

 private:
  [[noreturn]] void fail(int error) const;
  [[noreturn]] void refuse() const;
  void name_beside();

  std::string operation_;
  std::string path_;
  std::string advice_;
  bool overwrites_;
  std::string beside_;  // the name that it has meanwhile; empty: none
  unique_fd file_;
  std::uint64_t end_ = 0;
};

}  // namespace weir::shm
