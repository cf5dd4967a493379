// SPDX-License-Identifier: BSL-1.0
#include "channel/registry.hpp"

#include <pthread.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "channel/attach.hpp"
#include "sync/immortal.hpp"
#include "trace/recorder.hpp"

namespace weir::detail {

channel_registry& attached_channels() {
  // Channels with static storage may outlive what is destroyed.
  static sync::immortal<channel_registry> made([] {
    // A forked child has the parent's mappings but is no participant: its handles are marked, and it starts afresh.
    ::pthread_atfork([] { attached_channels().mutex.lock(); }, [] { attached_channels().mutex.unlock(); },
                     [] {
                       for (const auto& [core, retired] : attached_channels().all) core->mark_forked();
                       attached_channels().all.clear();
                       attached_channels().by_file.clear();
                       attached_channels().by_name.clear();
                       attached_channels().mutex.unlock();
                     });
  });
  return *made;
}

core_handle manage(channel_core* made) { return {made, channel_core::retire}; }

core_handle remember(core_handle core) {
  channel_registry& r = attached_channels();
  const std::scoped_lock lock(r.mutex);
  std::erase_if(r.by_file, [](const auto& entry) { return entry.second.expired(); });
  std::erase_if(r.by_name, [](const auto& entry) { return entry.second.expired(); });
  // Another thread may have attached the same channel meanwhile; the first stays.
  std::weak_ptr<channel_core>& known = r.by_file[core->segment().file_number()];
  if (core_handle first = known.lock()) return first;
  known = core;
  if (core->segment().header().named == 0) r.by_name[std::string(core->segment().name())] = core;
  return core;
}

core_handle known_by_name(std::string_view name) {
  channel_registry& r = attached_channels();
  const std::scoped_lock lock(r.mutex);
  const auto known = r.by_name.find(name);
  return known == r.by_name.end() ? nullptr : known->second.lock();
}

void channel_core::retire(channel_core* core) noexcept {
  if (!core->lets_views_.load(std::memory_order_relaxed)) {
    delete core;
    return;
  }
  if (core->forked_.load(std::memory_order_relaxed)) return;  // views that came through fork() may still be read
  // A view that ends from here on calls end_view_without_handle(); one that is in the middle of it now may not, and then the
  // channel stays until the next one of this process goes.
  core->ends_views_.store(false, std::memory_order_seq_cst);
  channel_registry& r = attached_channels();
  {
    const std::scoped_lock lock(r.mutex);
    r.all.find(core)->second = true;
  }
  for (;;) {
    channel_core* gone = nullptr;
    {
      const std::scoped_lock lock(r.mutex);
      const auto found = std::find_if(r.all.begin(), r.all.end(),
                                      [](const auto& each) { return each.second && !each.first->has_views(); });
      if (found == r.all.end()) return;
      found->second = false;  // nobody else deletes it
      gone = found->first;
    }
    delete gone;
  }
}

void channel_core::end_view_without_handle(ch::slot& at, std::uint64_t turn) noexcept {
  {
    channel_registry& r = attached_channels();
    const std::scoped_lock lock(r.mutex);  // so that retire() does not delete us before we have let go of the lock
    end_view_at(at, turn);
    const auto mine = r.all.find(this);
    if (has_views() || mine == r.all.end() || !mine->second) return;
    mine->second = false;
  }
  delete this;
}

bool channel_core::has_views() const noexcept {
  if (fixed_in_slot_) return false;
  for (std::uint64_t index = 0; index < ring_.count(); ++index) {
    const std::uint64_t view = ring_.slot_at(index)->view.load(std::memory_order_acquire);
    if (ch::phase_of_view(view) == ch::view_phase::viewing && ch::owner_of_view(view) == me_) return true;
  }
  return false;
}

void follow_tracing() {
  std::vector<std::pair<std::uint64_t, std::string>> names;
  {
    channel_registry& r = attached_channels();
    const std::scoped_lock lock(r.mutex);
    for (const auto& [core, retired] : r.all) {
      core->follow_tracing();
      if (trace::is_on()) names.emplace_back(core->segment().file_number(), core->display_name());
    }
  }
  for (const auto& [number, name] : names) trace::name(trace::name_kind::channel, number, name);
}

}  // namespace weir::detail
