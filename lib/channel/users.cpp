// SPDX-License-Identifier: BSL-1.0
#include "channel/users.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>

#include "channel/channel_layout.hpp"
#include "weir/error.hpp"

namespace weir::channels {
namespace {

/// Of a participant_entry, what says whose it is.
struct participant_copy {
  shm::process_identity who;
  std::uint32_t used;
  std::uint32_t unused[11];
};
static_assert(sizeof(participant_copy) == sizeof(participant_entry));
static_assert(offsetof(participant_copy, used) == offsetof(participant_entry, used));

void read(std::string_view name, int fd, std::uint64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw corrupt_segment(fmt::format("weir: look at channel \"{}\": it cannot be read", name));
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
}

}  // namespace

channel_users users_of(std::string_view name, const shm::segment_look& channel) {
  const auto h = std::make_unique<channel_header>();
  if (channel.header->file_bytes >= 2 * shm::kPage) {
    read(name, channel.file.get(), shm::kPage, {reinterpret_cast<std::byte*>(h.get()), sizeof *h});
  }
  if (const char* const why = contradiction_in(*h, channel.header->file_bytes); why != nullptr) {
    throw corrupt_segment(fmt::format("weir: look at channel \"{}\": {}", name, why));
  }
  channel_users found;
  found.pins = h->pins.load(std::memory_order_relaxed);
  // Entries from participants_high on were never used, but for one whose process died before it had raised the number.
  const std::uint32_t count = std::min(h->participants_high + 1, kParticipants);
  std::vector<participant_copy> entries(count);
  read(name, channel.file.get(), h->participants_offset, std::as_writable_bytes(std::span(entries)));
  for (const participant_copy& entry : entries) {
    if (entry.used != 0) found.attached.push_back(entry.who);
  }
  return found;
}

}  // namespace weir::channels
