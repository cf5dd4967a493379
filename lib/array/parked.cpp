// SPDX-License-Identifier: BSL-1.0
#include "array/parked.hpp"

#include <sys/resource.h>

#include <utility>

namespace weir::detail {
namespace {

constexpr std::size_t kMost = 16;  // each has an open file

bool has_gone(const parked_arrays::entry& each) noexcept {
  // pairs with the release of whoever removed it
  return each.segment.header().removed.load(std::memory_order_acquire) != 0 || !each.segment.has_its_name();
}

bool is_address_space_limited() noexcept {
  rlimit limit{};
  return ::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

}  // namespace

void parked_arrays::drop_the_removed() noexcept { entries_.remove_if(has_gone); }

std::optional<parked_arrays::entry> parked_arrays::take(std::string_view segment_name) noexcept {
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    if (at->segment.name() != segment_name) continue;
    entry found = std::move(*at);
    entries_.erase(at);
    if (has_gone(found)) return std::nullopt;
    return found;
  }
  return std::nullopt;
}

bool parked_arrays::clear() noexcept {
  const bool had_some = !entries_.empty();
  entries_.clear();
  return had_some;
}

void parked_arrays::park(entry each) {
  drop_the_removed();
  if (is_address_space_limited()) return;
  entries_.push_front(std::move(each));
  if (entries_.size() > kMost) entries_.pop_back();
}

}  // namespace weir::detail
