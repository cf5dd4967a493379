// SPDX-License-Identifier: BSL-1.0
#include "segment/new_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "weir/error.hpp"

namespace weir::shm {
namespace {

constexpr mode_t kMode = 0666;  // but for what the user's mask takes away

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

}  // namespace

new_file::new_file(std::string_view operation, std::string_view path, bool overwrites, std::string_view advice)
    : operation_(operation), path_(path), advice_(advice), overwrites_(overwrites) {
  struct stat info {};
  if (::stat(path_.c_str(), &info) == 0) {
    if (!overwrites) refuse();
    if (!S_ISREG(info.st_mode)) {
      throw invalid_argument(fmt::format("weir: {} \"{}\": there is something that is no file", operation_, path_));
    }
  }
  file_ = unique_fd(::open(folder_of(path_).c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, kMode));
  if (file_) return;
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) fail(errno);
  std::string beside = path_ + ".XXXXXX";
  file_ = unique_fd(::mkostemp(beside.data(), O_CLOEXEC));
  if (!file_) fail(errno);
  beside_ = std::move(beside);
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(file_.get(), kMode & ~mask);
}

new_file::~new_file() {
  if (!beside_.empty()) ::unlink(beside_.c_str());
}

void new_file::write(std::span<const std::byte> bytes) { write_at(end_, bytes); }

void new_file::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  end_ = std::max(end_, offset + bytes.size());
  while (!bytes.empty()) {
    constexpr std::size_t kMost = std::size_t{1} << 30U;
    const ssize_t written =
        ::pwrite(file_.get(), bytes.data(), std::min(bytes.size(), kMost), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
}

void new_file::commit() {
  if (beside_.empty() && overwrites_) name_beside();
  if (beside_.empty()) {
    const std::string self = fmt::format("/proc/self/fd/{}", file_.get());
    if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW) == 0) return;
    if (errno == EEXIST) refuse();
    fail(errno);
  }
  if (!overwrites_) {
    if (::link(beside_.c_str(), path_.c_str()) == 0) return;  // what lies beside goes with this
    if (errno == EEXIST) refuse();
    if (errno != EPERM) fail(errno);  // a file system without links
  }
  if (::rename(beside_.c_str(), path_.c_str()) != 0) fail(errno);
  beside_.clear();
}

/// A name for a moment, to be renamed.
void new_file::name_beside() {
  const std::string self = fmt::format("/proc/self/fd/{}", file_.get());
  for (int attempt = 0;; ++attempt) {
    std::string beside = fmt::format("{}.{}-{}", path_, ::getpid(), attempt);
    if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, beside.c_str(), AT_SYMLINK_FOLLOW) == 0) {
      beside_ = std::move(beside);
      return;
    }
    constexpr int kTries = 100;
    if (errno != EEXIST || attempt == kTries) fail(errno);
  }
}

void new_file::refuse() const {
  throw already_exists(fmt::format("weir: {} \"{}\": a file of that name exists{}", operation_, path_, advice_));
}

void new_file::fail(int error) const {
  const std::string what =
      fmt::format("weir: {} \"{}\": {}", operation_, path_, std::generic_category().message(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR: throw not_found(what + " (its folder must exist)");
    case EACCES:
    case EPERM:
    case EROFS: throw permission_denied(what);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE: throw no_space(what);
    default: throw invalid_argument(what);
  }
}

}  // namespace weir::shm
