// SPDX-License-Identifier: BSL-1.0
#include "segment/segment.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <system_error>
#include <utility>

#include "segment/names.hpp"
#include "segment/space.hpp"
#include "sync/immortal.hpp"
#include "weir/detail/crash_point.hpp"
#include "weir/error.hpp"

namespace weir::shm {
namespace {

constexpr const char* kDirectory = "/dev/shm";
constexpr std::size_t kMostPath = 512;  // names are shorter

std::atomic<std::size_t> g_mapped_bytes{0};

std::string path_of(std::string_view name) { return fmt::format("{}/{}{}", kDirectory, kFilePrefix, name); }

/// No string: what it is for must be possible without memory too.
std::array<char, kMostPath> path_without_memory(std::string_view name) noexcept {
  std::array<char, kMostPath> path{};
  fmt::format_to_n(path.data(), path.size() - 1, "{}/{}{}", kDirectory, kFilePrefix, name);
  return path;
}

std::string system_text(int error) { return std::generic_category().message(error); }

[[noreturn]] void fail(std::string_view operation, std::string_view name, int error) {
  const std::string what = fmt::format("weir: {} \"{}\": {}", operation, name, system_text(error));
  switch (error) {
    case ENOENT: throw not_found(fmt::format("weir: {} \"{}\": nothing has that name", operation, name));
    case EEXIST: throw already_exists(fmt::format("weir: {} \"{}\": the name is taken", operation, name));
    case EACCES:
    case EPERM: throw permission_denied(what);
    case EMFILE:
    case ENFILE: throw no_space(what + " (raise the limit: ulimit -n)");
    case ENOSPC:
    case ENOMEM: throw no_space(what);
    default: throw corrupt_segment(what);
  }
}

/// What Boost.Interprocess asks of something to map.
struct mappable {
  int fd;
  [[nodiscard]] boost::interprocess::mapping_handle_t get_mapping_handle() const { return {fd, false}; }
  [[nodiscard]] static boost::interprocess::mode_t get_mode() { return boost::interprocess::read_write; }
};

boost::interprocess::mapped_region map(std::string_view operation, std::string_view name, object_kind kind, int fd,
                                       std::size_t bytes) {
  try {
    return {mappable{fd}, boost::interprocess::read_write, 0, bytes};
  } catch (const boost::interprocess::interprocess_exception& e) {
    const char* const advice = kind == object_kind::channel
                                   ? " (channel_options.max_item_bytes bounds what a channel takes)"
                               : kind == object_kind::array ? " (array_options.max_rows bounds what an array takes)"
                                                            : "";
    throw no_space(fmt::format("weir: {} \"{}\": cannot map {} of address space: {}{}", operation, name,
                               readable(bytes), system_text(static_cast<int>(e.get_native_error())), advice));
  }
}

std::shared_mutex& creation_gate() {
  static sync::immortal<std::shared_mutex> gate;  // see stop_creating()
  return *gate;
}

void write_header(segment_header& h, const segment_spec& spec, std::size_t file_bytes) {
  h.layout = kLayout;
  h.kind = spec.kind;
  h.file_bytes = file_bytes;
  h.creator = this_process();
  h.created_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  const std::string own_realm = realm();
  std::memcpy(h.realm, own_realm.data(), std::min(own_realm.size(), sizeof h.realm - 1));
  h.where = spec.where;
  h.whence = spec.whence;
  h.id = spec.id;
  h.named = spec.named ? 1 : 0;
  h.type_hash = spec.type.hash;
  h.name_bytes = static_cast<std::uint32_t>(spec.name.copy(h.name, sizeof h.name - 1));
  h.type_bytes = static_cast<std::uint32_t>(spec.type.name.copy(h.type, sizeof h.type - 1));
  h.item_kind = static_cast<std::uint32_t>(spec.type.kind);
  h.fixed_bytes = spec.type.fixed_bytes;
  h.element_bytes = spec.type.element_bytes;
  const auto element = spec.type.element_name.empty()
                           ? std::string_view::npos
                           : std::string_view(h.type, h.type_bytes).find(spec.type.element_name);
  if (element != std::string_view::npos) {
    h.element_name_offset = static_cast<std::uint32_t>(element);
    h.element_name_bytes = static_cast<std::uint32_t>(spec.type.element_name.size());
  }
}

const char* kind_name(object_kind kind) {
  switch (kind) {
    case object_kind::channel: return "a channel";
    case object_kind::array: return "an array";
    case object_kind::session: return "a session table";
    case object_kind::results: return "a result table";
    case object_kind::blob: return "a large message";
    case object_kind::team: return "a team";
    case object_kind::trace: return "a trace";
  }
  return "an object of unknown kind";
}

void check_header(std::string_view operation, std::string_view name, const segment_header& h, std::size_t file_bytes) {
  const auto corrupt = [&](const std::string& why) {
    throw corrupt_segment(
        fmt::format("weir: {} \"{}\": {} (to remove it: rm '{}')", operation, name, why, path_of(name)));
  };
  // Pairs with the release store of the magic in create().
  const std::uint64_t magic = h.magic.load(std::memory_order_acquire);
  if (magic == 0) corrupt("the segment is empty: zeroed, or its creator died before it was made");
  if (magic != kMagic) corrupt(fmt::format("not a weir segment: it begins with {:#x} instead of {:#x}", magic, kMagic));
  if (h.layout != kLayout) {
    throw layout_mismatch(fmt::format("weir: {} \"{}\": the segment has layout {}, this build reads {}", operation,
                                      name, h.layout, kLayout));
  }
  if (h.file_bytes != file_bytes) {
    corrupt(fmt::format("the file has {} bytes, its header says {}", file_bytes, h.file_bytes));
  }
  if (h.name_bytes >= sizeof h.name || h.type_bytes >= sizeof h.type ||
      std::size_t{h.element_name_offset} + h.element_name_bytes > h.type_bytes) {
    corrupt("the header's lengths are out of range");
  }
  if (std::string_view(h.name, h.name_bytes) != name) {
    corrupt(fmt::format("its header says it is \"{}\"", std::string_view(h.name, h.name_bytes)));
  }
}

[[noreturn]] void refuse_owner(std::string_view operation, std::string_view name, uid_t owner) {
  throw permission_denied(
      fmt::format("weir: {} \"{}\": it belongs to user {}, this is user {}", operation, name, owner, ::geteuid()));
}

/// Throws unless it is an ordinary file of this user's.
void check_file(std::string_view operation, std::string_view name, const struct stat& info) {
  if (info.st_uid != ::geteuid()) refuse_owner(operation, name, info.st_uid);
  if (S_ISLNK(info.st_mode)) {
    throw corrupt_segment(fmt::format("weir: {} \"{}\": a symbolic link, which weir does not follow", operation, name));
  }
  if (!S_ISREG(info.st_mode)) {
    throw corrupt_segment(fmt::format("weir: {} \"{}\": not an ordinary file", operation, name));
  }
}

}  // namespace

std::size_t mapped_bytes() noexcept { return g_mapped_bytes.load(std::memory_order_relaxed); }

mapped_account::mapped_account(std::size_t bytes) noexcept : bytes_(bytes) {
  g_mapped_bytes.fetch_add(bytes, std::memory_order_relaxed);
}
mapped_account::mapped_account(mapped_account&& other) noexcept : bytes_(std::exchange(other.bytes_, 0)) {}
mapped_account& mapped_account::operator=(mapped_account&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}
mapped_account::~mapped_account() { g_mapped_bytes.fetch_sub(bytes_, std::memory_order_relaxed); }

unique_fd& unique_fd::operator=(unique_fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}
int unique_fd::release() noexcept { return std::exchange(fd_, -1); }
void unique_fd::reset() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

segment segment::create(std::string_view operation, const segment_spec& spec, std::size_t file_bytes,
                        std::size_t reserved_bytes, const std::function<void(segment&)>& fill) {
  const std::shared_lock gate(creation_gate());
  const std::string path = path_of(spec.name);
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0)
    fail(operation, spec.name, EEXIST);  // no need to make one only to throw it away

  segment made;
  made.file_ = unique_fd(::open(kDirectory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!made.file_) fail(operation, spec.name, errno);
  WEIR_CRASH_POINT("segment.create.opened");
  if (::fchmod(made.file_.get(), 0600) != 0) fail(operation, spec.name, errno);  // whatever the umask
  if (::ftruncate(made.file_.get(), static_cast<off_t>(file_bytes)) != 0) fail(operation, spec.name, errno);
  reserve_file_space(made.file_.get(), fmt::format("{} \"{}\"", operation, spec.name), 0, reserved_bytes);
  WEIR_CRASH_POINT("segment.create.reserved");
  made.region_ = map(operation, spec.name, spec.kind, made.file_.get(), file_bytes);
  made.account_ = mapped_account(file_bytes);
  made.name_ = spec.name;
  WEIR_CRASH_POINT("segment.create.mapped");
  auto* header = new (made.base()) segment_header{};
  write_header(*header, spec, file_bytes);
  WEIR_CRASH_POINT("segment.create.header");
  fill(made);
  WEIR_CRASH_POINT("segment.create.filled");
  header->magic.store(kMagic, std::memory_order_release);  // pairs with the acquire in check_header()
  WEIR_CRASH_POINT("segment.create.magic");
  const std::string unnamed = fmt::format("/proc/self/fd/{}", made.file_.get());
  if (::fstat(made.file_.get(), &info) != 0) fail(operation, spec.name, errno);
  made.file_number_ = info.st_ino;
  if (::linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) != 0)
    fail(operation, spec.name, errno);
  WEIR_CRASH_POINT("segment.create.linked");
  return made;
}

segment_look look_at_segment(std::string_view operation, std::string_view name, access how) {
  // Names also come out of messages.
  if (name.find('/') != std::string_view::npos) {
    throw corrupt_segment(fmt::format("weir: {} \"{}\": no segment has a '/' in its name", operation, name));
  }
  segment_look found;
  const std::string path = path_of(name);
  struct stat info {};
  // Looked at by name first: opening a device can have effects of its own.
  if (::lstat(path.c_str(), &info) != 0) fail(operation, name, errno);
  check_file(operation, name, info);
  const int mode = how == access::read_and_write ? O_RDWR : O_RDONLY | O_NOATIME;
  found.file = unique_fd(::open(path.c_str(), mode | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!found.file) fail(operation, name, errno);
  if (::fstat(found.file.get(), &info) != 0) fail(operation, name, errno);
  check_file(operation, name, info);  // once more: the name may stand for another file by now
  const auto file_bytes = static_cast<std::size_t>(info.st_size);
  if (file_bytes < sizeof(segment_header)) {
    throw corrupt_segment(
        fmt::format("weir: {} \"{}\": the file has {} bytes, fewer than a header's {} (to remove it: rm '{}')",
                    operation, name, file_bytes, sizeof(segment_header), path));
  }
  // Read, not mapped: nothing is trusted, and nothing can fault, before the header has been checked.
  found.header = std::make_unique<segment_header>();
  if (::pread(found.file.get(), static_cast<void*>(found.header.get()), sizeof *found.header, 0) !=
      static_cast<ssize_t>(sizeof *found.header)) {
    throw corrupt_segment(fmt::format("weir: {} \"{}\": its header cannot be read", operation, name));
  }
  check_header(operation, name, *found.header, file_bytes);
  found.file_number = info.st_ino;
  return found;
}

segment segment::open(std::string_view operation, std::string_view name, object_kind kind) {
  segment_look seen = look_at_segment(operation, name, access::read_and_write);
  if (seen.header->kind != kind) {
    throw type_mismatch(fmt::format("weir: {} \"{}\": it is {}, not {}", operation, name, kind_name(seen.header->kind),
                                    kind_name(kind)));
  }
  segment found;
  found.file_ = std::move(seen.file);
  found.file_number_ = seen.file_number;
  found.region_ = map(operation, name, kind, found.file_.get(), seen.header->file_bytes);
  found.account_ = mapped_account(seen.header->file_bytes);
  found.name_ = name;
  return found;
}

void segment::remove(std::string_view operation, std::string_view name) {
  const std::string path = path_of(name);
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) fail(operation, name, errno);
  if (info.st_uid != ::geteuid()) refuse_owner(operation, name, info.st_uid);
  WEIR_CRASH_POINT("segment.remove.named");
  if (::unlink(path.c_str()) != 0) fail(operation, name, errno);
  WEIR_CRASH_POINT("segment.remove.done");
}

void segment::reserve(std::string_view operation, std::size_t offset, std::size_t bytes) {
  WEIR_CRASH_POINT("space.reserving");
  reserve_file_space(file_.get(), fmt::format("{} \"{}\"", operation, name()), offset, bytes);
  WEIR_CRASH_POINT("space.reserved");
}

void segment::give_back(std::size_t offset, std::size_t bytes) noexcept {
  const std::size_t begin = (offset + kPage - 1) / kPage * kPage;
  const std::size_t end = (offset + bytes) / kPage * kPage;
  if (begin >= end) return;
  ::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(begin),
              static_cast<off_t>(end - begin));
  WEIR_CRASH_POINT("space.given_back");
}

bool segment::read(std::size_t offset, std::span<std::byte> out) const noexcept {
  while (!out.empty()) {
    const ssize_t got = ::pread(file_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::size_t>(got);
  }
  return true;
}

namespace {

struct flock lock_of(std::size_t offset, std::size_t bytes, short type) noexcept {
  struct flock lock {};  // l_pid must be 0
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(offset);
  lock.l_len = static_cast<off_t>(bytes);
  return lock;
}

}  // namespace

// Locks of the open file description (fcntl(2)): not lost when another descriptor of the file is closed.
bool segment::show_life(std::size_t offset, std::size_t bytes) const noexcept {
  const struct flock lock = lock_of(offset, bytes, F_WRLCK);
  return ::fcntl(file_.get(), F_OFD_SETLK, &lock) == 0;
}

void segment::stop_showing_life(std::size_t offset, std::size_t bytes) const noexcept {
  const struct flock lock = lock_of(offset, bytes, F_UNLCK);
  ::fcntl(file_.get(), F_OFD_SETLK, &lock);
}

bool segment::sees_life(std::size_t offset) const noexcept {
  struct flock lock = lock_of(offset, 1, F_WRLCK);
  return ::fcntl(file_.get(), F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

std::size_t segment::memory() const noexcept {
  constexpr std::size_t kStatBlock = 512;  // what st_blocks counts in, whatever the file system (stat(2))
  struct stat info {};
  return ::fstat(file_.get(), &info) == 0 ? static_cast<std::size_t>(info.st_blocks) * kStatBlock : 0;
}

void segment::remove_own_name() noexcept {
  WEIR_CRASH_POINT("segment.remove.begin");
  header().removed.store(1, std::memory_order_release);  // pairs with the acquire of those about to attach
  WEIR_CRASH_POINT("segment.remove.marked");
  struct stat named {};
  struct stat own {};
  const auto path = path_without_memory(name());
  if (::lstat(path.data(), &named) != 0 || ::fstat(file_.get(), &own) != 0) return;
  if (named.st_ino == own.st_ino && named.st_dev == own.st_dev) ::unlink(path.data());
  WEIR_CRASH_POINT("segment.remove.unlinked");
}

bool segment::has_its_name() const noexcept {
  struct stat info {};
  if (::lstat(path_without_memory(name()).data(), &info) != 0) return errno != ENOENT;
  return info.st_ino == file_number_;
}

bool segment::is_unlinked() const noexcept {
  struct stat info {};
  return ::fstat(file_.get(), &info) == 0 && info.st_nlink == 0;
}

std::vector<std::string> list_segments(std::string_view prefix) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(kDirectory), ::closedir);
  if (!directory) return names;
  while (const dirent* entry = ::readdir(directory.get())) {
    std::string_view name = entry->d_name;
    if (!name.starts_with(kFilePrefix)) continue;
    name.remove_prefix(kFilePrefix.size());
    if (name.starts_with(prefix)) names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void stop_creating() noexcept { creation_gate().lock(); }

}  // namespace weir::shm
