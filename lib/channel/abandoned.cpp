// SPDX-License-Identifier: BSL-1.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <exception>
#include <limits>
#include <string_view>
#include <utility>

#include "channel/attach.hpp"
#include "channel/bound.hpp"
#include "channel/registry.hpp"
#include "segment/names.hpp"
#include "weir/error.hpp"

namespace weir::detail {
namespace {

/// An attachment of its own, so that other handles of this process count as somebody else's. Null: the lock is held.
core_handle attach_if_lockable(std::string_view name) {
  shm::segment segment = shm::segment::open("look for the dead", name, shm::object_kind::channel);
  const ch::checked_constants constants = check_channel("look for the dead", segment);
  // Asked once, and not waited for: whoever has it may be stopped. If it died, the attachment that follows repairs.
  sync::robust_mutex& mutex = segment.at<ch::channel_header>(shm::kPage)->mutex;
  if (!mutex.try_lock()) return nullptr;
  mutex.unlock();
  return manage(new channel_core(std::move(segment), constants));
}

}  // namespace

bool channel_core::remove_if_alone(std::int32_t most_pins) {
  const locked lock(*this);
  if (header_->pins.load(std::memory_order_seq_cst) > most_pins || anyone_else_attached()) return false;
  segment_.remove_own_name();
  return true;
}

void remove_unless_attached(std::string_view segment_name) noexcept {
  try {
    if (known_by_name(segment_name)) return;
    try {
      shm::segment segment = shm::segment::open("remove channel", segment_name, shm::object_kind::channel);
      const ch::checked_constants constants = check_channel("remove channel", segment);
      constexpr auto kAnyPins = std::numeric_limits<std::int32_t>::max();
      manage(new channel_core(std::move(segment), constants))->remove_if_alone(kAnyPins);
    } catch (const corrupt_segment&) {
      shm::segment::remove("remove channel", segment_name);
    }
  } catch (const std::exception&) {
    return;  // gone meanwhile, or of a kind that is not ours
  }
}

abandoned remove_abandoned(std::string_view segment_name, std::int32_t most_pins) {
  try {
    const core_handle core = attach_if_lockable(segment_name);
    return core && core->remove_if_alone(most_pins) ? abandoned::cleared : abandoned::in_use;
  } catch (const not_found&) {
    return abandoned::gone;
  }
}

abandoned release_the_dead(std::string_view segment_name) {
  try {
    const core_handle core = attach_if_lockable(segment_name);
    if (!core) return abandoned::in_use;
    core->look_for_the_dead(/*even_if_just_looked=*/true);
    return abandoned::cleared;
  } catch (const not_found&) {
    return abandoned::gone;
  }
}

bool is_bound_to(std::string_view segment_name, const shm::process_identity& who) noexcept {
  std::array<char, 512> path{};  // no string: this needs no memory
  fmt::format_to_n(path.data(), path.size() - 1, "/dev/shm/{}{}", shm::kFilePrefix, segment_name);
  const shm::unique_fd file(::open(path.data(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOATIME));
  if (!file) return false;
  std::array<ch::binding_entry, ch::kBindings> bindings{};
  constexpr auto kOffset = static_cast<off_t>(shm::kPage + offsetof(ch::channel_header, bindings));
  if (::pread(file.get(), bindings.data(), sizeof bindings, kOffset) != static_cast<ssize_t>(sizeof bindings))
    return false;
  return std::any_of(bindings.begin(), bindings.end(), [&](const auto& b) { return b.used != 0 && b.who == who; });
}

}  // namespace weir::detail
