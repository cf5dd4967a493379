// SPDX-License-Identifier: BSL-1.0
#include "array/parked.hpp"

#include <sys/resource.h>

#include <utility>

namespace weir::detail {
namespace {

constexpr std::size_t kMost = 16;  // each has an open file

bool is_address_space_limited() noexcept {
  rlimit limit{};
  return ::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

}  // namespace

void parked_arrays::drop_the_removed() noexcept {
  entries_.remove_if([](const shm::segment& each) { return each.is_unlinked(); });
}

std::optional<shm::segment> parked_arrays::take(std::string_view segment_name) noexcept {
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    if (at->name() != segment_name) continue;
    std::optional<shm::segment> found(std::move(*at));
    entries_.erase(at);
    return found;
  }
  return std::nullopt;
}

bool parked_arrays::clear() noexcept {
  const bool had_some = !entries_.empty();
  entries_.clear();
  return had_some;
}

void parked_arrays::park(shm::segment each) {
  drop_the_removed();
  if (is_address_space_limited()) return;
  entries_.push_front(std::move(each));
  if (entries_.size() > kMost) entries_.pop_back();
}

}  // namespace weir::detail
