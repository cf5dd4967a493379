// SPDX-License-Identifier: BSL-1.0
#include "runtime/census.hpp"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <exception>
#include <memory>

#include "runtime/session_layout.hpp"
#include "segment/names.hpp"
#include "weir/error.hpp"

namespace weir::runtime {
namespace {

constexpr std::size_t kRealmLength = 12;
constexpr std::uint64_t kStatBlock = 512;  // what st_blocks counts in (stat(2))

/// An entry's bytes, ours alone.
struct entry_copy {
  alignas(process_entry) std::byte bytes[sizeof(process_entry)];
  [[nodiscard]] const process_entry& get() const noexcept { return *reinterpret_cast<const process_entry*>(bytes); }
};

bool read(int fd, std::size_t offset, void* out, std::size_t bytes) noexcept {
  return ::pread(fd, out, bytes, static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes);
}

/// A table that cannot be read tells nothing: its processes may live.
session_life life_of(const shm::segment_look& table) {
  session_life found{shm::look(table.header->creator), table.header->creator};
  if (found.life != shm::liveness::dead) return found;
  const auto header = std::make_unique<session_header>();
  const int fd = table.file.get();
  if (table.header->file_bytes != kSessionFileBytes ||
      !read(fd, kSessionHeaderOffset, static_cast<void*>(header.get()), sizeof *header)) {
    return {shm::liveness::unknown, found.who};
  }
  const std::uint32_t count = std::min(header->next_id.load(std::memory_order_relaxed), kEntries);
  std::vector<entry_copy> entries(count);
  if (!read(fd, kEntriesOffset, entries.data(), count * sizeof(entry_copy))) {
    return {shm::liveness::unknown, found.who};
  }
  for (const entry_copy& copy : entries) {
    // One that has started but not said who it is finds no living control process, and ends by itself.
    if (copy.get().state.load(std::memory_order_relaxed) != worker_state::running) continue;
    const shm::liveness life = shm::look(copy.get().who);
    if (life == shm::liveness::dead) continue;
    if (found.life == shm::liveness::dead || life == shm::liveness::alive) found = {life, copy.get().who};
  }
  return found;
}

/// What an error says, without the words that name operation and segment.
std::string reason_of(const std::exception& e) {
  const std::string_view what = e.what();
  const std::size_t at = what.find("\": ");
  std::string_view reason = at == std::string_view::npos ? what : what.substr(at + 3);
  if (const std::size_t hint = reason.find(" (to remove it:"); hint != std::string_view::npos) {
    reason = reason.substr(0, hint);
  }
  return std::string(reason);
}

}  // namespace

std::string_view realm_in(std::string_view name) noexcept {
  const bool has_room = name.size() > kRealmLength + 2;
  if (!has_room || name.front() != '@' || name[kRealmLength + 1] != '.') return {};
  const std::string_view realm = name.substr(1, kRealmLength);
  const auto is_digit = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
  return std::all_of(realm.begin(), realm.end(), is_digit) ? realm : std::string_view();
}

census::census() {
  for (const std::string& name : shm::list_segments()) add(name);
}

void census::add(const std::string& name) {
  found_segment found;
  found.name = name;
  struct stat info {};
  if (::lstat(fmt::format("/dev/shm/{}{}", shm::kFilePrefix, name).c_str(), &info) != 0) return;
  found.bytes = static_cast<std::uint64_t>(info.st_blocks) * kStatBlock;
  found.is_foreign = info.st_uid != ::geteuid();
  try {
    found.look = shm::look_at_segment("look at", name, shm::access::read);
    if (found.look->header->kind == shm::object_kind::channel) found.users = channels::users_of(name, *found.look);
    if (found.look->header->kind == shm::object_kind::array) found.holders = arrays::users_of(name, *found.look);
  } catch (const not_found&) {
    return;
  } catch (const error& e) {
    found.why = reason_of(e);
  }
  const std::string_view realm = realm_in(name);
  if (!realm.empty() && name.substr(kRealmLength + 2) == kSessionWord && found.look &&
      found.look->header->kind == shm::object_kind::session) {
    sessions_.emplace(realm, life_of(*found.look));
  }
  segments_.push_back(std::move(found));
}

const session_life* census::session_of(std::string_view realm) const {
  const auto found = sessions_.find(realm);
  return found == sessions_.end() ? nullptr : &found->second;
}

}  // namespace weir::runtime
