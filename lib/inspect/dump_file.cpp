// SPDX-License-Identifier: BSL-1.0
#include "inspect/dump_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "weir/channel_options.hpp"
#include "weir/detail/type_name.hpp"
#include "weir/error.hpp"

namespace weir::inspect {
namespace {

constexpr std::string_view kMagic = "weirdump";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kLongestType = 3583;  // what a segment's header has room for
constexpr std::uint64_t kItemHeader = 16;

constexpr std::uint64_t round_up(std::uint64_t bytes, std::uint64_t to) noexcept { return (bytes + to - 1) / to * to; }

/// FNV-1a, to be begun with nothing or with what it gave for what comes before.
std::uint64_t checksum_of(std::span<const std::byte> bytes, std::uint64_t before = 0xcbf29ce484222325) noexcept {
  for (const std::byte byte : bytes) before = (before ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001b3;
  return before;
}

template <class T>
std::span<const std::byte> bytes_of(const T& value) noexcept {
  return std::as_bytes(std::span(&value, 1));
}

std::uint64_t checksum_of_item(std::uint64_t before, std::uint64_t length, std::span<const std::byte> item) noexcept {
  return checksum_of(item, checksum_of(bytes_of(length), checksum_of(bytes_of(before))));
}

}  // namespace

detail::item_type dump_description::item_type() const {
  return {.name = type,
          .hash = detail::hash_of(type),
          .kind = item_kind,
          .fixed_bytes = fixed_bytes,
          .element_bytes = element_bytes,
          .element_name = element_name};
}

dump_writer::dump_writer(std::string_view path, bool overwrites, dump_description what, std::string_view advice)
    : file_("write dump", path, overwrites, advice), what_(std::move(what)) {
  what_.count = 0;
  what_.item_bytes = 0;
  write_header();  // once more in the end, when all is known
}

void dump_writer::add(std::span<const std::byte> item) {
  const std::uint64_t length = item.size();
  checksum_ = checksum_of_item(checksum_, length, item);
  static constexpr std::byte kZeros[8]{};
  file_.write(bytes_of(length));
  file_.write(bytes_of(checksum_));
  file_.write(item);
  file_.write(std::span(kZeros).first(round_up(length, 8) - length));
  ++what_.count;
  what_.item_bytes += length;
}

void dump_writer::write_header() {
  dump_header h{};
  std::memcpy(h.magic, kMagic.data(), sizeof h.magic);
  h.version = kVersion;
  h.item_kind = static_cast<std::uint32_t>(what_.item_kind);
  h.fixed_bytes = what_.fixed_bytes;
  h.element_bytes = what_.element_bytes;
  h.type_bytes = static_cast<std::uint32_t>(what_.type.size());
  h.element_name_bytes = static_cast<std::uint32_t>(what_.element_name.size());
  h.header_bytes = static_cast<std::uint32_t>(round_up(sizeof h + h.type_bytes + h.element_name_bytes, 16));
  h.capacity = what_.capacity;
  h.max_item_bytes = what_.max_item_bytes;
  h.idle_block_bytes = what_.idle_block_bytes;
  h.count = what_.count;
  h.item_bytes = what_.item_bytes;
  h.file_bytes = std::max<std::uint64_t>(file_.end(), h.header_bytes);
  h.items_checksum = checksum_;
  std::vector<std::byte> all(h.header_bytes);
  std::memcpy(all.data() + sizeof h, what_.type.data(), what_.type.size());
  std::memcpy(all.data() + sizeof h + what_.type.size(), what_.element_name.data(), what_.element_name.size());
  std::memcpy(all.data(), &h, sizeof h);
  h.header_checksum = checksum_of(all);
  std::memcpy(all.data(), &h, sizeof h);
  file_.write_at(0, all);
}

void dump_writer::finish() {
  write_header();
  file_.commit();
}

dump_reader::dump_reader(std::string_view path) : path_(path) {
  struct stat info {};
  file_ = shm::unique_fd(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file_ || ::fstat(file_.get(), &info) != 0) {
    const std::string what = fmt::format("weir: read dump \"{}\": {}", path_, std::generic_category().message(errno));
    if (errno == ENOENT) throw not_found(what);
    if (errno == EACCES) throw permission_denied(what);
    throw invalid_argument(what);
  }
  if (!S_ISREG(info.st_mode)) {
    throw invalid_argument(fmt::format("weir: read dump \"{}\": it is not an ordinary file", path_));
  }
  file_bytes_ = static_cast<std::uint64_t>(info.st_size);
  read_header();
  check_description();
  rewind();
  std::uint64_t bytes = 0;
  while (const auto item = next()) bytes += item->size();
  if (at_ != file_bytes_) refuse(fmt::format("{} bytes are left after its last item", file_bytes_ - at_));
  if (checksum_ != items_checksum_ || bytes != what_.item_bytes) refuse("its items are not those that were written");
  rewind();
}

void dump_reader::rewind() noexcept {
  at_ = header_bytes_;
  done_ = 0;
  checksum_ = 0;
}

void dump_reader::read_header() {
  dump_header h{};
  if (file_bytes_ < sizeof h) refuse(fmt::format("it has {} bytes, fewer than a dump's header", file_bytes_));
  read(0, std::as_writable_bytes(std::span(&h, 1)));
  if (std::string_view(h.magic, sizeof h.magic) != kMagic) refuse("it is no dump: it does not begin with `weirdump`");
  if (h.version != kVersion) refuse(fmt::format("it has version {}, this build reads {}", h.version, kVersion));
  if (h.type_bytes > kLongestType || h.element_name_bytes > kLongestType ||
      h.header_bytes != round_up(sizeof h + h.type_bytes + h.element_name_bytes, 16) || h.header_bytes > file_bytes_) {
    refuse("its header's lengths are out of range");
  }
  std::vector<std::byte> all(h.header_bytes);
  read(0, all);
  const std::uint64_t says = std::exchange(h.header_checksum, 0);
  std::memcpy(all.data(), &h, sizeof h);
  if (checksum_of(all) != says) refuse("its header is damaged: the checksum is another one");
  if (h.file_bytes != file_bytes_) {
    refuse(fmt::format("it has {} bytes, its header says {}", file_bytes_, h.file_bytes));
  }
  const std::string_view names(reinterpret_cast<const char*>(all.data()) + sizeof h, all.size() - sizeof h);
  what_ = {.type = std::string(names.substr(0, h.type_bytes)),
           .element_name = std::string(names.substr(h.type_bytes, h.element_name_bytes)),
           .item_kind = static_cast<detail::item_kind>(h.item_kind),
           .fixed_bytes = h.fixed_bytes,
           .element_bytes = h.element_bytes,
           .capacity = h.capacity,
           .max_item_bytes = h.max_item_bytes,
           .idle_block_bytes = h.idle_block_bytes,
           .count = h.count,
           .item_bytes = h.item_bytes};
  header_bytes_ = h.header_bytes;
  items_checksum_ = h.items_checksum;
}

/// What a checksum cannot find: that it was written by somebody else.
void dump_reader::check_description() const {
  using detail::item_kind;
  switch (what_.item_kind) {
    case item_kind::bytes:
    case item_kind::sequence:
    case item_kind::any:
    case item_kind::archive: break;
    case item_kind::handle: refuse("its items are handles, which do not outlive what they refer to");
    default: refuse(fmt::format("its items are of unknown kind {}", static_cast<std::uint32_t>(what_.item_kind)));
  }
  if (what_.type.empty()) refuse("its type has no name");
  if (what_.capacity > kMaxCapacity) refuse(fmt::format("its channel had room for {} items", what_.capacity));
  if (what_.count > file_bytes_ / kItemHeader) refuse(fmt::format("it cannot hold {} items", what_.count));
  if ((what_.item_kind == item_kind::bytes) != (what_.fixed_bytes != 0))
    refuse("its items' size contradicts their kind");
}

std::optional<std::vector<std::byte>> dump_reader::next() {
  if (done_ == what_.count) return std::nullopt;
  std::uint64_t head[2]{};
  if (file_bytes_ - at_ < sizeof head) refuse(fmt::format("it ends before item {}", done_));
  read(at_, std::as_writable_bytes(std::span(head)));
  const auto [length, says] = std::pair(head[0], head[1]);
  const std::uint64_t room = file_bytes_ - at_ - sizeof head;
  if (length > room || round_up(length, 8) > room) refuse(fmt::format("item {} is longer than the file", done_));
  if (what_.fixed_bytes != 0 && length != what_.fixed_bytes) {
    refuse(fmt::format("item {} has {} bytes instead of {}", done_, length, what_.fixed_bytes));
  }
  if (what_.element_bytes != 0 && length % what_.element_bytes != 0) {
    refuse(fmt::format("item {} has {} bytes, which are no elements of {}", done_, length, what_.element_bytes));
  }
  std::vector<std::byte> item(length);
  read(at_ + sizeof head, item);
  checksum_ = checksum_of_item(checksum_, length, item);
  if (checksum_ != says) refuse(fmt::format("item {} is damaged: the checksum is another one", done_));
  at_ += sizeof head + round_up(length, 8);
  ++done_;
  return item;
}

void dump_reader::read(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t got = ::pread(file_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) refuse("it cannot be read, or became shorter");
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
}

void dump_reader::refuse(std::string_view why) const {
  throw corrupt_segment(fmt::format("weir: read dump \"{}\": {}", path_, why));
}

}  // namespace weir::inspect
