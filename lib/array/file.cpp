// SPDX-License-Identifier: BSL-1.0
#include "array/file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>
#include <vector>

#include "array/attach.hpp"
#include "array/plan.hpp"
#include "array/users.hpp"
#include "segment/membership.hpp"
#include "segment/space.hpp"
#include "weir/detail/crash_point.hpp"
#include "weir/error.hpp"

namespace weir::detail {
namespace {

constexpr std::string_view kMapping = "map file";

[[noreturn]] void fail(std::string_view operation, std::string_view path, int error) {
  const std::string what = fmt::format("weir: {} \"{}\": {}", operation, path, std::generic_category().message(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR: throw not_found(what + " (its folder must exist)");
    case EACCES:
    case EPERM:
    case EROFS:
    case ETXTBSY: throw permission_denied(what + " (it must be readable and writable)");
    case EISDIR: throw invalid_argument(what + ", expected an ordinary file");
    case EMFILE:
    case ENFILE: throw no_space(what + " (raise the limit: ulimit -n)");
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case ENOMEM: throw no_space(what);
    default: throw invalid_argument(what);
  }
}

struct stat status_of(std::string_view operation, std::string_view path, int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) fail(operation, path, errno);
  if (!S_ISREG(info.st_mode)) {
    throw invalid_argument(fmt::format("weir: {} \"{}\": not an ordinary file", operation, path));
  }
  return info;
}

/// So that writing there cannot fail (with SIGBUS). What is there stays. File systems without fallocate(2) go without.
void reserve_on_disk(std::string_view operation, std::string_view path, int fd, std::size_t begin, std::size_t end) {
  while (::fallocate(fd, 0, static_cast<off_t>(begin), static_cast<off_t>(end - begin)) != 0) {
    if (errno == EINTR) continue;
    if (errno == EOPNOTSUPP || errno == ENOSYS) return;
    if (errno == ENOSPC || errno == EDQUOT) {
      throw no_space(fmt::format("weir: {} \"{}\": the disk is full: {} asked, {} free", operation, path,
                                 shm::readable(end - begin), shm::readable(shm::free_file_space(fd))));
    }
    fail(operation, path, errno);
  }
}

/// A new file of that length, all zero. It appears whole, where the file system can do that.
void make_file(const std::string& path, std::size_t bytes) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  shm::unique_fd file(::open(folder.empty() ? "." : folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  const bool is_nameless = static_cast<bool>(file);
  if (!is_nameless) {
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) fail(kMapping, path, errno);
    file = shm::unique_fd(::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600));
    if (!file && errno == EEXIST) return;
    if (!file) fail(kMapping, path, errno);
  }
  WEIR_CRASH_POINT("array.file.opened");
  try {
    if (::ftruncate(file.get(), static_cast<off_t>(bytes)) != 0) fail(kMapping, path, errno);
    reserve_on_disk(kMapping, path, file.get(), 0, bytes);
  } catch (...) {
    if (!is_nameless) ::unlink(path.c_str());
    throw;
  }
  WEIR_CRASH_POINT("array.file.made");
  const std::string nameless = fmt::format("/proc/self/fd/{}", file.get());
  if (is_nameless && ::linkat(AT_FDCWD, nameless.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) != 0 &&
      errno != EEXIST) {
    fail(kMapping, path, errno);
  }
  WEIR_CRASH_POINT("array.file.linked");
}

/// What Boost.Interprocess asks of something to map.
struct mappable {
  int fd;
  [[nodiscard]] boost::interprocess::mapping_handle_t get_mapping_handle() const { return {fd, false}; }
  [[nodiscard]] static boost::interprocess::mode_t get_mode() { return boost::interprocess::read_write; }
};

/// From the file's beginning; the data need not lie on a page. Longer than the file: room for growth.
boost::interprocess::mapped_region map_whole(std::string_view operation, std::string_view path, int fd,
                                             std::size_t bytes) {
  try {
    return {mappable{fd}, boost::interprocess::read_write, 0, bytes};
  } catch (const boost::interprocess::interprocess_exception& e) {
    throw no_space(fmt::format("weir: {} \"{}\": cannot map {} of address space: {} (array_options.max_rows bounds it)",
                               operation, path, shm::readable(bytes),
                               std::generic_category().message(static_cast<int>(e.get_native_error()))));
  }
}

std::unique_ptr<array_core> attach_to(std::string_view operation, std::string_view path, shm::segment segment,
                                      const arrays::checked_constants& constants, shm::unique_fd file) {
  auto region = map_whole(operation, path, file.get(), constants.data_offset + bytes_of(constants, constants.max_rows));
  return std::make_unique<array_core>(std::move(segment), constants, std::move(file), std::move(region));
}

/// Others, who have the file mapped already, must see it the same way.
void expect_same(const std::string& path, const array_core& others, const item_type& type,
                 const arrays::checked_constants& wanted) {
  check_array_type(kMapping, others.segment(), type);
  const arrays::checked_constants& theirs = others.constants();
  const bool same = theirs.order == wanted.order && theirs.data_offset == wanted.data_offset &&
                    others.rows() == wanted.extents[0] &&
                    std::equal(theirs.extents + 1, theirs.extents + kMaxRank, wanted.extents + 1);
  if (same) return;
  throw invalid_argument(fmt::format("weir: {} \"{}\": it is mapped already, as {}, with another shape", kMapping, path,
                                     others.segment().name()));
}

}  // namespace

shm::unique_fd open_elements(std::string_view operation, const std::string& path) {
  struct stat info {};
  // Looked at by name first: opening a device can have effects of its own.
  if (::stat(path.c_str(), &info) != 0) fail(operation, path, errno);
  if (S_ISDIR(info.st_mode)) fail(operation, path, EISDIR);
  if (!S_ISREG(info.st_mode)) {
    throw invalid_argument(fmt::format("weir: {} \"{}\": not an ordinary file", operation, path));
  }
  shm::unique_fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) fail(operation, path, errno);
  status_of(operation, path, file.get());
  return file;
}

std::unique_ptr<array_core> attach_file_bound(std::string_view operation, shm::segment segment,
                                              const arrays::checked_constants& constants) {
  const auto& h = *segment.at<arrays::array_header>(arrays::kHeaderOffset);
  const std::string path(h.path, std::min<std::size_t>(h.path_bytes, sizeof h.path));
  const std::string name(segment.name());
  shm::unique_fd file = open_elements(operation, path);
  const struct stat info = status_of(operation, path, file.get());
  if (info.st_dev != h.file_device || info.st_ino != h.file_number) {
    throw not_found(fmt::format("weir: {} \"{}\": \"{}\" is another file by now", operation, name, path));
  }
  const std::uint64_t rows = h.rows.load(std::memory_order_acquire);
  if (rows > constants.max_rows ||
      static_cast<std::uint64_t>(info.st_size) < constants.data_offset + bytes_of(constants, rows)) {
    throw corrupt_segment(fmt::format("weir: {} \"{}\": \"{}\" has {} bytes, too few for {} rows", operation, name,
                                      path, info.st_size, rows));
  }
  return attach_to(operation, path, std::move(segment), constants, std::move(file));
}

array_handle map_elements(std::string_view operation, const std::string& path, shm::unique_fd file,
                          const item_type& type, const arrays::checked_constants& constants) {
  const struct stat info = status_of(operation, path, file.get());
  const std::size_t needed = constants.data_offset + bytes_of(constants, constants.extents[0]);
  if (static_cast<std::uint64_t>(info.st_size) < needed) {
    throw invalid_argument(fmt::format("weir: {} \"{}\": the file is too short: it has {} bytes, the array needs {}",
                                       operation, path, info.st_size, needed));
  }
  reserve_on_disk(operation, path, file.get(), 0, needed);
  const std::string name = fmt::format("{}{:x}.{:x}", arrays::kFileBoundPrefix, info.st_dev, info.st_ino);
  constexpr int kTries = 1000;  // each one lost to somebody who made or removed it at that very moment
  constexpr auto kAnyPins = std::numeric_limits<std::int32_t>::max();
  for (int left = kTries;; --left) {
    try {
      // Of processes that have died, perhaps of another file that had this one's number.
      remove_abandoned_array(name, 0);
      array_handle found = attach_array_segment(operation, name, nullptr);
      try {
        expect_same(path, *found, type, constants);
        return found;
      } catch (const error&) {
        if (left == 0 || remove_abandoned_array(name, kAnyPins) == abandoned_array::in_use) throw;
      }
    } catch (const not_found&) {
      if (left == 0) throw;
    }
    shm::segment_spec spec;
    spec.name = name;
    spec.kind = shm::object_kind::array;
    spec.type = type;
    spec.where = my_id();
    spec.whence = my_id();
    spec.id = shm::next_object_id();
    try {
      shm::segment made = make_array_segment(operation, spec, constants, reserve_when::later,
                                             std::filesystem::absolute(path).string(), info.st_dev, info.st_ino);
      WEIR_CRASH_POINT("array.file.bound");
      return remember_array(attach_to(operation, path, std::move(made), constants, std::move(file)));
    } catch (const already_exists&) {
      if (left == 0) throw;
    }
  }
}

array_handle map_array_file(const std::filesystem::path& path, const item_type& type, const array_shape& shape,
                            const array_options& options) {
  const std::string text = path.string();
  arrays::checked_constants constants =
      arrays::plan_array(fmt::format("{} \"{}\"", kMapping, text), type.element_bytes, shape, options);
  constants.data_offset = 0;
  constants.file_bound = true;
  const std::size_t needed = bytes_of(constants, constants.extents[0]);
  if (std::error_code none; !std::filesystem::exists(path, none)) make_file(text, needed);
  return map_elements(kMapping, text, open_elements(kMapping, text), type, constants);
}

void lengthen_file(std::string_view operation, std::string_view name, int fd, std::size_t old_end,
                   std::size_t new_end) {
  const auto length = static_cast<std::size_t>(status_of(operation, name, fd).st_size);
  reserve_on_disk(operation, name, fd, old_end, new_end);
  if (length < new_end && ::ftruncate(fd, static_cast<off_t>(new_end)) != 0) fail(operation, name, errno);
  WEIR_CRASH_POINT("array.file.lengthened");
  // What was behind the elements so far.
  const std::vector<std::byte> zeros(std::min<std::size_t>(1U << 20U, length > old_end ? length - old_end : 0));
  for (std::size_t at = old_end; at < std::min(length, new_end);) {
    const std::size_t step = std::min(zeros.size(), std::min(length, new_end) - at);
    const ssize_t written = ::pwrite(fd, zeros.data(), step, static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail(operation, name, errno);
    at += static_cast<std::size_t>(written);
  }
}

void shorten_file(int fd, std::size_t old_end, std::size_t new_end) noexcept {
  struct stat info {};
  if (::fstat(fd, &info) != 0 || static_cast<std::size_t>(info.st_size) != old_end) return;
  if (::ftruncate(fd, static_cast<off_t>(new_end)) != 0) return;  // it stays longer than it need be
}

}  // namespace weir::detail
