// SPDX-License-Identifier: BSL-1.0
#include "runtime/referrers.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "segment/names.hpp"
#include "weir/detail/item_type.hpp"

namespace weir::runtime {
namespace {

constexpr std::size_t kAtOnce = std::size_t{1} << 18U;

/// Calls `see` with stretches of the file that overlap by `overlap` bytes.
template <class See>
void read_through(const shm::segment_look& segment, std::size_t overlap, See&& see) {
  const int fd = segment.file.get();
  std::vector<char> bytes(kAtOnce + overlap);
  for (off_t begin = static_cast<off_t>(shm::kPage);;) {
    begin = ::lseek(fd, begin, SEEK_DATA);
    if (begin < 0) return;
    const off_t end = ::lseek(fd, begin, SEEK_HOLE);
    if (end < 0) return;
    while (begin < end) {
      const std::size_t wanted = std::min(bytes.size(), static_cast<std::size_t>(end - begin));
      const ssize_t got = ::pread(fd, bytes.data(), wanted, begin);
      if (got <= 0) return;
      see(std::string_view(bytes.data(), static_cast<std::size_t>(got)));
      const auto step = static_cast<std::size_t>(got) > overlap ? got - static_cast<ssize_t>(overlap) : got;
      begin = begin + got >= end ? end : begin + step;
    }
  }
}

/// Moves those of `wanted` that are named in `referrer` to its end; returns where they begin.
auto split_by(const found_segment& referrer, std::vector<const found_segment*>& wanted) {
  std::vector<bool> named(wanted.size());
  read_through(*referrer.look, shm::kFilePrefix.size() + shm::kMaxNameLength, [&](std::string_view bytes) {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const std::string& name = wanted[i]->name;
      if (!named[i]) named[i] = ::memmem(bytes.data(), bytes.size(), name.data(), name.size()) != nullptr;
    }
  });
  const std::vector<const found_segment*> before = wanted;
  return std::partition(wanted.begin(), wanted.end(), [&](const found_segment* each) {
    const auto at = std::find(before.begin(), before.end(), each) - before.begin();
    return !named[static_cast<std::size_t>(at)];
  });
}

}  // namespace

bool can_hold_handles(const found_segment& s) noexcept {
  if (!s.is_sound()) return false;
  const shm::segment_header& h = *s.look->header;
  if (h.kind == shm::object_kind::results || h.kind == shm::object_kind::blob || h.kind == shm::object_kind::team) {
    return true;
  }
  if (h.kind != shm::object_kind::channel) return false;
  const auto items = static_cast<detail::item_kind>(h.item_kind);
  const bool is_inbox = h.id == 0;  // its items are messages, of any content
  return is_inbox || (items != detail::item_kind::bytes && items != detail::item_kind::sequence);
}

std::vector<const found_segment*> find_referred_to(std::vector<const found_segment*> wanted,
                                                   std::vector<const found_segment*> kept) {
  std::vector<const found_segment*> found;
  while (!wanted.empty() && !kept.empty()) {
    const found_segment* const referrer = kept.back();
    kept.pop_back();
    if (!can_hold_handles(*referrer)) continue;
    const auto named = split_by(*referrer, wanted);
    found.insert(found.end(), named, wanted.end());
    kept.insert(kept.end(), named, wanted.end());  // what is in them is kept too
    wanted.erase(named, wanted.end());
  }
  return found;
}

}  // namespace weir::runtime
