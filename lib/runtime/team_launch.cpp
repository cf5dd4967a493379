// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "runtime/blob.hpp"
#include "runtime/team_core.hpp"
#include "segment/names.hpp"
#include "weir/detail/crash_point.hpp"

namespace weir::detail {
namespace {

std::string next_name() {
  static std::atomic<std::uint64_t> teams{0};
  return shm::own_name(fmt::format("team.{}", ++teams));
}

}  // namespace

struct team_launch::implementation {
  std::string name = next_name();
  runtime::team_segment segment;
};

team_launch::team_launch(std::vector<process_id> processes) : implementation_(std::make_unique<implementation>()) {
  if (processes.empty()) processes.push_back(my_id());
  implementation_->segment = runtime::team_segment::create(implementation_->name, processes);
}

team_launch::~team_launch() {
  runtime::team_segment& segment = implementation_->segment;
  WEIR_CRASH_POINT("team.removing");
  for (std::uint32_t r = 0; r < segment.size(); ++r) {
    if (segment.rank(r).has_inbox.load(std::memory_order_acquire) == 0) continue;
    runtime::remove_blob(fmt::format("{}.inbox.{}", implementation_->name, r));
  }
  WEIR_CRASH_POINT("team.inboxes.removed");
  segment.file().remove_own_name();
}

const std::string& team_launch::name() const noexcept { return implementation_->name; }

void team_launch::set_missing(std::size_t rank) const noexcept {
  implementation_->segment.set_failed(runtime::team_failure::died, static_cast<std::uint32_t>(rank));
}

std::optional<std::size_t> team_launch::failed_first() const noexcept {
  const std::uint32_t failed = implementation_->segment.header().failed.load(std::memory_order_acquire);
  if (failed == 0) return std::nullopt;
  return std::min(runtime::rank_in(failed), implementation_->segment.size() - 1);
}

}  // namespace weir::detail
