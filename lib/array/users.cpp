// SPDX-License-Identifier: BSL-1.0
#include "array/users.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <memory>

#include "array/attach.hpp"
#include "segment/names.hpp"
#include "weir/error.hpp"

namespace weir::arrays {
namespace {

bool read(int fd, std::size_t offset, void* out, std::size_t bytes) noexcept {
  return ::pread(fd, out, bytes, static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes);
}

}  // namespace

std::vector<std::uint32_t> held_seats(int fd) {
  std::vector<std::uint32_t> held;
  for (std::uint32_t from = 0; from < kSeats;) {
    struct flock lock {};  // l_pid must be 0
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = static_cast<off_t>(byte_of_seat(from));
    lock.l_len = static_cast<off_t>((kSeats - from) * kSeatBytes);
    // Answers with one lock that is in the way: not always the first.
    if (::fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) break;
    const auto first = static_cast<std::size_t>(lock.l_start);
    const std::size_t last =
        lock.l_len == 0 ? byte_of_seat(kSeats - 1) : first + static_cast<std::size_t>(lock.l_len) - 1;
    if (first < byte_of_seat(from) || last >= byte_of_seat(kSeats) || last - first >= kSeatBytes)
      break;  // one who leaves
    const auto seat = static_cast<std::uint32_t>((first - kSeatsOffset) / kSeatBytes);
    for (std::uint32_t before = from; before < seat; ++before) {
      lock = {};
      lock.l_type = F_WRLCK;
      lock.l_whence = SEEK_SET;
      lock.l_start = static_cast<off_t>(byte_of_seat(before));
      lock.l_len = 1;
      if (::fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK) held.push_back(before);
    }
    held.push_back(seat);
    from = seat + 1;
  }
  return held;
}

array_users users_of(std::string_view name, const shm::segment_look& array) {
  const int fd = array.file.get();
  const auto h = std::make_unique<array_header>();
  checked_constants constants;
  const char* why = "its header cannot be read";
  if (array.header->file_bytes < kDataOffset) {
    why = "the file is shorter than an array's header";
  } else if (read(fd, kHeaderOffset, static_cast<void*>(h.get()), sizeof *h)) {
    why = contradiction_in(*h, array.header->file_bytes, constants);
  }
  if (why != nullptr) throw corrupt_segment(fmt::format("weir: look at array \"{}\": {}", name, why));
  array_users found;
  found.pins = h->pins.load(std::memory_order_relaxed);
  found.ever_attached = h->seats_high.load(std::memory_order_relaxed) != 0;
  for (const std::uint32_t number : held_seats(fd)) {
    shm::process_identity who;
    if (read(fd, byte_of_seat(number), &who, sizeof who)) found.attached.push_back(who);
  }
  return found;
}

void remove_own_file_bound() noexcept {
  try {
    for (const std::string& name : shm::list_segments(kFileBoundPrefix)) {
      const shm::segment_look found = shm::look_at_segment("look at", name, shm::access::read);
      if (shm::realm() == found.header->realm) detail::remove_array_unless_attached(name);
    }
  } catch (const std::exception&) {
    return;  // no memory, or gone meanwhile, or damaged: a sweep deals with it
  }
}

}  // namespace weir::arrays
