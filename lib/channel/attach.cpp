// SPDX-License-Identifier: BSL-1.0
#include "channel/attach.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>

#include "channel/make.hpp"
#include "channel/references.hpp"
#include "channel/registry.hpp"
#include "segment/membership.hpp"
#include "segment/names.hpp"
#include "sync/heavy_fence.hpp"
#include "weir/detail/crash_point.hpp"

namespace weir::detail {

ch::checked_constants check_channel(std::string_view operation, const shm::segment& segment) {
  const auto corrupt = [&](std::string_view why) {
    throw corrupt_segment(fmt::format("weir: {} \"{}\": {} (to remove it: rm '/dev/shm/{}{}')", operation,
                                      segment.name(), why, shm::kFilePrefix, segment.name()));
  };
  const auto& h = *segment.at<ch::channel_header>(shm::kPage);
  if (const char* const why = ch::contradiction_in(h, segment.bytes())) corrupt(why);
  const ch::checked_constants found{.geometry = ch::geometry_of(h, segment.bytes()),
                                    .max_item_bytes = h.max_item_bytes,
                                    .idle_block_bytes = h.idle_block_bytes,
                                    .fixed_bytes = segment.header().fixed_bytes};
  // Copied, so once more: the header may be changing.
  ch::channel_geometry must = found.geometry;
  if (!ch::lay_out(must) || must != found.geometry || found.max_item_bytes > must.block_stride) {
    corrupt("the channel's header changes while it is looked at");
  }
  if (!ch::suits_items(must, found.fixed_bytes)) {
    corrupt(fmt::format("its items of {} bytes do not lie in slots of {}", found.fixed_bytes, must.slot_bytes));
  }
  if (!h.mutex.is_sound()) corrupt("its lock is not a mutex that weir made");
  return found;
}

namespace {

/// `fixed_bytes`: of the items, as they lie in the slots.
void check_type(std::string_view operation, const shm::segment& segment, std::size_t fixed_bytes,
                const item_type& type) {
  const shm::segment_header& h = segment.header();
  if (h.type_hash == type.hash && h.item_kind == static_cast<std::uint32_t>(type.kind) &&
      fixed_bytes == type.fixed_bytes) {
    return;
  }
  throw type_mismatch(fmt::format("weir: {} \"{}\": it holds {}, asked for {}", operation, segment.name(),
                                  std::string_view(h.type, std::min<std::size_t>(h.type_bytes, sizeof h.type)),
                                  type.name));
}

core_handle attach_segment(std::string_view operation, std::string_view name, const item_type* type) {
  shm::segment segment = shm::segment::open(operation, name, shm::object_kind::channel);
  const ch::checked_constants constants = check_channel(operation, segment);
  if (type != nullptr) check_type(operation, segment, constants.fixed_bytes, *type);
  {
    channel_registry& r = attached_channels();
    const std::scoped_lock lock(r.mutex);
    if (const auto known = r.by_file.find(segment.file_number()); known != r.by_file.end()) {
      if (core_handle core = known->second.lock()) {
        if (type != nullptr) check_type(operation, segment, core->fixed_bytes(), *type);
        return core;
      }
    }
  }
  return remember(manage(new channel_core(std::move(segment), constants)));
}

}  // namespace

channel_core::channel_core(shm::segment mapped, const ch::checked_constants& constants)
    : segment_(std::move(mapped)),
      constants_(constants),
      header_(segment_.at<ch::channel_header>(shm::kPage)),
      participants_(segment_.at<ch::participant_entry>(constants.geometry.participants_offset)),
      waiters_(segment_.at<ch::waiter_entry>(constants.geometry.waiters_offset)),
      blocks_(segment_, constants),
      rendezvous_(constants.geometry.capacity == 0),
      fixed_bytes_(constants.fixed_bytes) {
  const ch::channel_geometry& g = constants_.geometry;
  ring_ = ch::ring({.slots = segment_.base() + g.slots_offset,
                    .slot_count = g.slot_count,
                    .slot_bytes = g.slot_bytes,
                    .tail = &header_->tail,
                    .head = &header_->head,
                    .blanks_made = &header_->blanks_made});
  fixed_in_slot_ = ch::lie_in_slots(fixed_bytes_, g.slot_bytes);
  most_in_slot_ =
      fixed_in_slot_ ? fixed_bytes_ : std::min<std::size_t>(g.slot_bytes - ch::kPiece, constants_.max_item_bytes);
  closed_ = &header_->closed;
  orphans_ = &header_->orphans;
  not_empty_ = &header_->not_empty;
  not_full_ = &header_->not_full;
  channel_registry& r = attached_channels();
  {
    const std::scoped_lock lock(r.mutex);
    r.all.emplace(this, false);  // before we have entered: nothing fails afterwards
  }
  try {
    enter();
  } catch (...) {
    const std::scoped_lock lock(r.mutex);
    r.all.erase(this);
    throw;
  }
  heavy_fences_reach_us_ = sync::register_for_heavy_fences();
  const bool may_lie_in_slots = fixed_in_slot_ || fixed_bytes_ == 0;
  fast_way_ = may_lie_in_slots && !rendezvous_ && heavy_fences_reach_us_;
  is_users_ = segment_.header().id != 0;
  {
    const std::scoped_lock lock(r.mutex);  // so that tracing is not switched in between
    follow_tracing();
  }
  if (trace::is_on()) trace::name(trace::name_kind::channel, segment_.file_number(), display_name());
}

channel_core::~channel_core() {
  {
    channel_registry& r = attached_channels();
    const std::scoped_lock lock(r.mutex);
    r.all.erase(this);
  }
  if (!forked_.load(std::memory_order_relaxed)) leave();
}

void channel_core::enter() {
  const locked lock(*this);
  if (was_removed()) {
    throw not_found(fmt::format("weir: open channel \"{}\": it was removed just now", display_name()));
  }
  std::uint32_t entry = 1;
  const std::uint32_t high = participants_high();
  while (entry < high && participants_[entry].used.load(std::memory_order_relaxed) != 0) ++entry;
  if (entry == ch::kParticipants) {
    throw no_space(
        fmt::format("weir: open channel \"{}\": {} processes use it already", display_name(), ch::kParticipants - 1));
  }
  constexpr std::uint32_t kEntriesInPage = shm::kPage / sizeof(ch::participant_entry);
  if (entry >= high && entry % kEntriesInPage == 0) {
    segment_.reserve("open channel", constants_.geometry.participants_offset + entry * sizeof(ch::participant_entry),
                     shm::kPage);
  }
  ch::participant_entry& mine = participants_[entry];
  WEIR_CRASH_POINT("participant.entering");
  mine.who = shm::this_process();
  mine.process = my_id();
  mine.attached_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  WEIR_CRASH_POINT("participant.written");
  // Not to be had as long as a child that a dead owner of the entry has forked keeps it.
  const std::uint32_t used = segment_.show_life(life_of(entry)) ? ch::kShowsLife : ch::kUsed;
  mine.used.store(used, std::memory_order_release);  // pairs with the acquire of those who look for the dead
  WEIR_CRASH_POINT("participant.entered");
  header_->participants_high = std::max(high, entry + 1);
  WEIR_CRASH_POINT("participant.high");
  me_ = entry;
}

void channel_core::leave() noexcept {
  bool goes = false;  // and what is inside with it: nobody can attach any more
  try {
    const locked lock(*this);
    const bool unnamed = segment_.header().named == 0;
    // While our entry is still in use: if we die recovering others, that is undone like anything else of ours.
    if (unnamed && header_->pins.load(std::memory_order_seq_cst) <= 0 && !anyone_else_attached()) {
      segment_.remove_own_name();
      goes = true;
    } else if (unnamed ? was_removed() : !segment_.has_its_name()) {
      goes = !anyone_else_attached();
    }
    WEIR_CRASH_POINT("participant.leaving");
    participants_[me_].used.store(0, std::memory_order_release);
    WEIR_CRASH_POINT("participant.left");
    segment_.stop_showing_life(life_of(me_));
  } catch (const std::exception&) {
    return;  // the lock is beyond repair: the session's end removes what is left
  }
  if (goes) release_items();
}

/// What the handles among the items that nobody will take refer to is not kept alive by them any longer.
void channel_core::release_items() noexcept {
  const auto kind = static_cast<item_kind>(segment_.header().item_kind);
  if (kind == item_kind::bytes || kind == item_kind::sequence) return;
  try {
    for (const item_copy& item : peek()) {
      if (item.has_references) ch::release_item(item.bytes);
    }
  } catch (const std::exception&) {
    return;  // damaged, or no memory: the session's end removes what is left
  }
}

void channel_core::refuse_forked() const {
  throw invalid_argument(fmt::format(
      "weir: channel \"{}\": this handle came through fork() and is not valid here (open the channel again)",
      display_name()));
}

void channel_core::throw_corrupt(std::string_view why) const {
  throw corrupt_segment(fmt::format("weir: channel \"{}\": {}", display_name(), why));
}

void channel_core::trace_while_on(trace::event_kind kind, std::uint64_t ticket) const noexcept {
  if (is_users_) trace::record({.kind = kind, .number = ticket, .object = segment_.file_number()});
}

core_handle make_channel(const shm::segment_spec& spec, std::size_t capacity, const channel_options& options,
                         std::string_view operation) {
  const std::size_t fixed = spec.type.fixed_bytes;
  ch::channel_geometry g = plan_channel(operation, spec.name, fixed, capacity, options);
  const std::size_t most =
      options.max_item_bytes == 0 ? g.block_stride : std::min(options.max_item_bytes, g.block_stride);
  const auto fill = [&](shm::segment& made) {
    const auto reserve = [&](std::size_t offset, std::size_t bytes) { made.reserve(operation, offset, bytes); };
    reserve(g.participants_offset, shm::kPage);
    reserve(g.waiters_offset, shm::kPage);
    reserve(g.slots_offset, g.blocks_offset - g.slots_offset);
    auto* h = new (made.base() + shm::kPage) ch::channel_header{};
    h->capacity = g.capacity;
    h->slot_count = g.slot_count;
    h->block_stride = g.block_stride;
    h->max_item_bytes = most;
    h->idle_block_bytes = options.idle_block_bytes;
    h->participants_offset = g.participants_offset;
    h->waiters_offset = g.waiters_offset;
    h->slots_offset = g.slots_offset;
    h->block_table_offset = g.block_table_offset;
    h->blocks_offset = g.blocks_offset;
    h->slot_bytes = g.slot_bytes;
    h->block_count = g.block_count;
    h->mutex.make();
    h->participants_high = 1;
  };
  const ch::checked_constants constants{.geometry = g,
                                        .max_item_bytes = most,
                                        .idle_block_bytes = options.idle_block_bytes,
                                        .fixed_bytes = spec.type.fixed_bytes};
  shm::segment made = shm::segment::create(operation, spec, g.file_bytes, 2 * shm::kPage, fill);
  try {
    return remember(manage(new channel_core(std::move(made), constants)));
  } catch (...) {
    shm::segment::remove(operation, spec.name);  // nobody has a handle to it
    throw;
  }
}

core_handle attach_any(std::string_view segment_name) {
  if (core_handle known = known_by_name(segment_name)) return known;
  return attach_segment("open channel", segment_name, nullptr);
}

core_handle attach_typed(std::string_view segment_name, const item_type& type) {
  if (core_handle known = known_by_name(segment_name)) {
    check_type("open channel", known->segment(), known->fixed_bytes(), type);
    return known;
  }
  return attach_segment("open channel", segment_name, &type);
}

}  // namespace weir::detail
