// SPDX-License-Identifier: BSL-1.0
// The one rendezvous that all collective operations are.
#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "runtime/blob.hpp"
#include "runtime/team_core.hpp"
#include "runtime/team_sleep.hpp"
#include "segment/space.hpp"
#include "weir/detail/crash_point.hpp"
#include "weir/error.hpp"

namespace weir::detail {
namespace {

using runtime::rank_state;
using runtime::team_failure;
using runtime::team_slot;

constexpr std::uint32_t kLooks = 32;  // about a microsecond

std::string text_of(const team_call& call) {
  return runtime::call_text(static_cast<std::uint16_t>(call.operation),
                            call.type_name != nullptr ? call.type_name() : std::string_view(), call.root);
}

bool is_same_call(const team_slot& a, const team_slot& b) noexcept {
  return a.operation == b.operation && a.root == b.root && a.type_hash == b.type_hash;
}

/// What another process may change, even if it should not: read once.
std::uint64_t read_once(const std::uint64_t& from) noexcept {
  return std::atomic_ref(const_cast<std::uint64_t&>(from)).load(std::memory_order_relaxed);
}

}  // namespace

inline bool team_core::has_come(std::uint32_t rank) const noexcept {
  // Pairs with the release in meet().
  return segment_.rank(rank).slots[sequence_ % 2].sequence.load(std::memory_order_acquire) == sequence_;
}

bool team_core::all_have_come() const noexcept {
  for (std::uint32_t r = 0; r < size(); ++r) {
    if (!has_come(r)) return false;
  }
  return true;
}

bool team_core::meet(const team_call& call, std::span<const std::span<const std::byte>> parts, std::size_t bytes,
                     std::uint64_t count, encoder* value) {
  runtime::team_header& header = segment_.header();
  if (const std::uint32_t failed = header.failed.load(std::memory_order_acquire); failed != 0) {
    throw_failure(failed, text_of(call));
  }
  const std::uint64_t number = sequence_ + 1;
  const std::size_t place = number % 2;
  team_slot& mine = own_.slots[place];
  if (!pins_[place].empty()) take_back(pins_[place]);  // all have entered the operation before this one
  std::byte* const payload = bytes <= runtime::kInlinePayload ? mine.payload : room_for(bytes, call);
  WEIR_CRASH_POINT("team.bringing");
  if (mine.type_hash != call.type_hash) write_type_name(call);
  mine.type_hash = call.type_hash;
  mine.operation = static_cast<std::uint16_t>(call.operation);
  mine.flags = value != nullptr ? runtime::kHasReferences : 0;
  mine.root = call.root;
  mine.bytes = bytes;
  mine.count = count;
  runtime::gather(parts, payload);
  WEIR_CRASH_POINT("team.brought");
  mine.sequence.store(number, std::memory_order_release);  // pairs with the acquire in has_come()
  sequence_ = number;
  WEIR_CRASH_POINT("team.announced");
  if (value != nullptr) {
    pins_[place] = value->release_references();
    pinned_in_ = number;
  }

  wait_for_all();
  WEIR_CRASH_POINT("team.met");
  header.event.signal();  // the last one to come wakes those who sleep
  WEIR_CRASH_POINT("team.signalled");
  bool has_references = false;
  for (std::uint32_t r = 0; r < size(); ++r) {
    const team_slot& theirs = segment_.rank(r).slots[place];
    if (!is_same_call(theirs, mine)) throw_different_calls();
    has_references = has_references || theirs.flags != 0;
  }
  return has_references;
}

void team_core::write_type_name(const team_call& call) noexcept {
  char(&name)[runtime::kTypeNameBytes] = own_.names[(sequence_ + 1) % 2];
  const std::string_view text = call.type_name != nullptr ? call.type_name() : std::string_view();
  const std::size_t length = text.copy(name, sizeof name - 1);
  std::memset(name + length, 0, sizeof name - length);
}

std::byte* team_core::room_for(std::size_t bytes, const team_call& call) {
  if (bytes > segment_.stretch_bytes()) {
    throw item_too_large(fmt::format("weir: {}: rank {} brings {}, at most {} are possible", text_of(call), rank_,
                                     shm::readable(bytes), shm::readable(segment_.stretch_bytes())));
  }
  const std::uint64_t number = sequence_ + 1;
  const std::size_t offset = segment_.stretch_offset(rank_, number);
  std::size_t& have = reserved_[number % 2];
  const std::size_t need = std::min((bytes + shm::kPage - 1) / shm::kPage * shm::kPage, segment_.stretch_bytes());
  if (need > have) {
    segment_.file().reserve(text_of(call), offset + have, need - have);
    have = need;
  }
  return segment_.file().base() + offset;
}

void team_core::wait_for_all() {
  std::uint32_t next = 0;
  const auto all_have_come = [&] {
    while (next < size() && has_come(next)) ++next;
    return next == size();
  };
  // Those who work in step come so soon that nothing else is worth asking, not even whether the machine is crowded.
  for (std::uint32_t look = 0; look < kLooks; ++look) {
    if (all_have_come()) return;
    sync::relax();
  }
  sync::patience patience(estimate_);
  while (patience.pause()) {
    if (all_have_come()) return patience.paid();
    if (patience.is_to_look_up() && segment_.header().failed.load(std::memory_order_acquire) != 0) break;
  }
  sleep_until_all();
}

void team_core::sleep_until_all() {
  std::vector<runtime::death_watch> watches = watch_all();
  asleep sleeper(*this, runtime::rank_waits::operation);
  sleeper.until([&] {
    if (all_have_come()) return true;
    check_missing(watches);
    return all_have_come();
  });
}

std::vector<runtime::death_watch> team_core::watch_all() const {
  std::vector<runtime::death_watch> watches;
  watches.reserve(size());
  for (std::uint32_t r = 0; r < size(); ++r) watches.emplace_back(member_->table(), segment_.rank(r).process);
  return watches;
}

void team_core::check_missing(std::span<runtime::death_watch> watches) {
  const auto& failed = segment_.header().failed;
  for (std::uint32_t r = 0; r < size(); ++r) {
    if (r == rank_ || has_come(r)) continue;
    if (segment_.rank(r).state.load(std::memory_order_acquire) == rank_state::left) {
      if (has_come(r)) continue;
      if (failed.load(std::memory_order_acquire) == 0) {
        differs(
            fmt::format("spmd: rank {} has returned from the function, rank {} called {}", r, rank_, call_of(rank_)));
      }
    } else if (watches[r].ended()) {
      segment_.set_failed(team_failure::died, r);
    }
  }
  // What has come before the failure counts.
  if (const std::uint32_t how = failed.load(std::memory_order_acquire); how != 0 && !all_have_come()) {
    throw_failure(how, call_of(rank_));
  }
}

std::string team_core::call_of(std::uint32_t rank) const {
  const runtime::team_rank& record = segment_.rank(rank);
  const team_slot& slot = record.slots[sequence_ % 2];
  const char(&name)[runtime::kTypeNameBytes] = record.names[sequence_ % 2];
  return runtime::call_text(slot.operation, {name, ::strnlen(name, sizeof name)}, slot.root);
}

void team_core::throw_different_calls() {
  // The same two are named on every rank.
  const team_slot& first = segment_.rank(0).slots[sequence_ % 2];
  std::uint32_t other = 1;
  while (other + 1 < size() && is_same_call(first, segment_.rank(other).slots[sequence_ % 2])) ++other;
  differs(fmt::format("spmd: the ranks do not do the same: rank 0 called {}, rank {} called {}", call_of(0), other,
                      call_of(other)));
}

contribution team_core::of(std::uint32_t rank) const {
  const team_slot& slot = segment_.rank(rank).slots[sequence_ % 2];
  const std::uint64_t bytes = read_once(slot.bytes);
  if (bytes > segment_.stretch_bytes() && bytes > runtime::kInlinePayload) {
    throw corrupt_segment(fmt::format("weir: {}: rank {} says that it brings {} bytes, at most {} are possible",
                                      call_of(rank_), rank, bytes, segment_.stretch_bytes()));
  }
  const std::byte* const payload = bytes <= runtime::kInlinePayload
                                       ? slot.payload
                                       : segment_.file().base() + segment_.stretch_offset(rank, sequence_);
  const std::span item(payload, bytes);
  return {slot.flags == 0 ? item : split_references(item, true).body, read_once(slot.count)};
}

void team_core::end_reading() noexcept {
  WEIR_CRASH_POINT("team.reading");
  own_.read_done.store(sequence_, std::memory_order_seq_cst);
  WEIR_CRASH_POINT("team.read");
  segment_.header().event.signal();
}

// -------------------------------------------------------------------------------------------------------------- meeting

meeting::meeting(team_core& core, const team_call& call)
    : core_(core), has_references_(core.meet(call, {}, 0, 0, nullptr)) {}

meeting::meeting(team_core& core, const team_call& call, std::span<const std::byte> bytes, std::uint64_t count)
    : core_(core), has_references_(core.meet(call, std::span(&bytes, 1), bytes.size(), count, nullptr)) {}

meeting::meeting(team_core& core, const team_call& call, encoder& value, std::uint64_t count) : core_(core) {
  const payload item = value.item();
  has_references_ =
      core.meet(call, item.parts, runtime::total_bytes(item.parts), count, item.has_references ? &value : nullptr);
}

contribution meeting::of(std::uint32_t rank) const { return core_.of(rank); }
void meeting::end_reading() noexcept { core_.end_reading(); }

}  // namespace weir::detail
