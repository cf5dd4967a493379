// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include "channel/attach.hpp"
#include "channel/bound.hpp"
#include "channel/make.hpp"
#include "channel/references.hpp"
#include "segment/membership.hpp"
#include "segment/names.hpp"
#include "weir/detail/crash_point.hpp"

// The functions of weir/detail/channel_core.hpp, in its order.
namespace weir::detail {
namespace {

shm::segment_spec spec_for(std::string name, const item_type& type, bool named) {
  shm::segment_spec spec;
  spec.name = std::move(name);
  spec.kind = shm::object_kind::channel;
  spec.type = type;
  spec.named = named;
  spec.where = my_id();
  spec.whence = my_id();
  return spec;
}

}  // namespace

fast_path* fast_path_of(const core_handle& core) noexcept { return core.get(); }

core_handle create_unnamed(const item_type& type, std::size_t capacity, const channel_options& options,
                           placement place) {
  const process_id where = place.where == 0 ? my_id() : place.where;
  const shm::process_identity host = place.ends_with_host
                                         ? (where == my_id() ? shm::this_process() : ch::identity_of_worker(where))
                                         : shm::process_identity{};
  shm::segment_spec spec = spec_for({}, type, /*named=*/false);
  spec.where = where;
  spec.id = shm::next_object_id();
  spec.name = shm::own_name(fmt::format("{}.{}.{}", spec.where, spec.whence, spec.id));
  core_handle core = make_channel(spec, capacity, options, "create channel");
  if (place.ends_with_host) core->bind(where, host, /*host=*/true);
  return core;
}

core_handle create_named(std::string_view name, const item_type& type, std::size_t capacity,
                         const channel_options& options) {
  shm::check_user_name("create channel", name);
  shm::segment_spec spec = spec_for(std::string(name), type, /*named=*/true);
  spec.id = shm::next_object_id();
  return make_channel(spec, capacity, options, "create channel");
}

core_handle open_named(std::string_view name, const item_type& type) {
  shm::check_user_name("open channel", name);
  return attach_typed(name, type);
}

core_handle open_or_create_named(std::string_view name, const item_type& type, std::size_t capacity,
                                 const channel_options& options) {
  constexpr int kTries = 1000;  // each one lost to somebody who made or removed it at that very moment
  for (int left = kTries;; --left) {
    try {
      return open_named(name, type);
    } catch (const not_found&) {
      if (left == 0) throw;
    }
    try {
      return create_named(name, type, capacity, options);
    } catch (const already_exists&) {
      if (left == 0) throw;
    }
  }
}

void remove_named(std::string_view name) {
  shm::check_user_name("remove channel", name);
  shm::segment::remove("remove channel", name);
}

core_handle create_internal(std::string_view segment_name, const item_type& type, std::size_t capacity,
                            const channel_options& options) {
  return make_channel(spec_for(std::string(segment_name), type, /*named=*/true), capacity, options, "create channel");
}

std::string reference_of(const channel_core& core) { return std::string(core.segment().name()); }
core_handle attach(std::string_view reference, const item_type& type) { return attach_typed(reference, type); }

void pin(channel_core& core) noexcept {
  core.header().pins.fetch_add(1, std::memory_order_seq_cst);
  WEIR_CRASH_POINT("reference.pinned");
}

void unpin(std::string_view reference) noexcept {
  if (ch::unpin_other(reference)) return;
  try {
    // Letting go of the handle afterwards removes the channel if nothing keeps it any more.
    attach_any(reference)->header().pins.fetch_sub(1, std::memory_order_seq_cst);
    WEIR_CRASH_POINT("reference.unpinned");
  } catch (const std::exception&) {
    return;  // already gone
  }
}

bool put(channel_core& core, const payload& item, deadline until, wake when) { return core.put(item, until, when); }
bool put_fixed(channel_core& core, const void* item, std::size_t bytes, deadline until, wake when) {
  return core.put_fixed(item, bytes, until, when);
}
void wake_takers(channel_core& core, std::size_t items) noexcept { core.wake_takers(items); }
loaned_block loan(const core_handle& core, std::size_t bytes) { return core->loan(bytes); }
bool put(channel_core& core, loaned_block& item, std::size_t bytes, deadline until) {
  return core.put(item, bytes, until);
}

take_status take(const core_handle& core, taken_item& out, deadline until, hold how, const std::stop_token& stop) {
  return core->take(out, until, how, stop);
}
take_status take_fixed(channel_core& core, void* out, std::size_t bytes, deadline until, const std::stop_token& stop) {
  return core.take_fixed(out, bytes, until, stop);
}
take_status fetch(channel_core& core, item_copy& out, deadline until) { return core.fetch(out, until); }
std::vector<item_copy> peek(channel_core& core) { return core.peek(); }

void close(channel_core& core, std::string_view reason) { core.close(reason); }
void close_when_gone(channel_core& core, process_id worker) {
  if (const auto report = ch::how_it_ended(worker)) {
    const bool ended_well = report->exit_status && *report->exit_status == 0;
    core.close(ended_well ? std::string() : fmt::format("worker {} has ended ({})", worker, report->text()));
    return;
  }
  core.bind(worker, worker == my_id() ? shm::this_process() : ch::identity_of_worker(worker), /*host=*/false);
}

bool is_open(const channel_core& core) noexcept { return !core.is_closed(); }
bool is_ready(const channel_core& core) noexcept { return core.is_ready(); }
std::size_t size(const channel_core& core) noexcept { return core.size(); }
std::size_t capacity(const channel_core& core) noexcept { return core.constants().geometry.capacity; }
std::size_t max_item_bytes(const channel_core& core) noexcept { return core.constants().max_item_bytes; }
std::string name(const channel_core& core) { return std::string(core.segment().name()); }
process_id where(const channel_core& core) noexcept { return core.segment().header().where; }
process_id whence(const channel_core& core) noexcept { return core.segment().header().whence; }
std::uint64_t id(const channel_core& core) noexcept { return core.segment().header().id; }

}  // namespace weir::detail
