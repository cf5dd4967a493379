// SPDX-License-Identifier: BSL-1.0
#include "inspect/segment_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "segment/names.hpp"

namespace weir::inspect {
namespace {

const char* kind_of_file(mode_t mode) noexcept {
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

}  // namespace

segment_file::segment_file(std::string_view name) {
  if (name.empty() || name.find('/') != std::string_view::npos) return;  // no file of weir's is called so
  const std::string path = fmt::format("/dev/shm/{}{}", shm::kFilePrefix, name);
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return;
  const auto note = [&] {
    owner_ = info.st_uid;
    file_bytes_ = static_cast<std::uint64_t>(info.st_size);
    reserved_bytes_ = static_cast<std::uint64_t>(info.st_blocks) * kStatBlock;
    if (owner_ != ::geteuid()) {
      access_ = access::foreign;
      why_ = fmt::format("it belongs to user {}, this is user {}", owner_, ::geteuid());
    } else if (!S_ISREG(info.st_mode)) {
      access_ = access::unreadable;
      why_ = fmt::format("it is {}, not an ordinary file", kind_of_file(info.st_mode));
    } else {
      access_ = access::readable;
    }
  };
  note();
  if (access_ != access::readable) return;
  // O_NOATIME: a look leaves no trace, not even the time of it.
  fd_ = shm::unique_fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOATIME));
  if (fd_ && ::fstat(fd_.get(), &info) == 0) {
    note();  // once more: the name may stand for another file by now
    if (access_ != access::readable) fd_.reset();
    return;
  }
  const int error = errno;
  access_ = error == ENOENT ? access::absent : access::unreadable;
  why_ = fmt::format("it cannot be opened: {}", std::generic_category().message(error));
}

bool segment_file::read(std::uint64_t offset, std::span<std::byte> out) const noexcept {
  while (!out.empty()) {
    const ssize_t got = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return true;
}

}  // namespace weir::inspect
