// SPDX-License-Identifier: BSL-1.0
#include "inspect/channel.hpp"
#include "inspect/report.hpp"
#include "inspect/session.hpp"
#include "inspect/team.hpp"

namespace weir::inspect {

const char* text_of(segment_state state) noexcept {
  switch (state) {
    case segment_state::absent: return "absent";
    case segment_state::alive: return "alive";
    case segment_state::idle: return "idle";
    case segment_state::stale: return "stale";
    case segment_state::unknown: return "unknown";
    case segment_state::foreign: return "foreign";
    case segment_state::other_layout: return "other layout";
    case segment_state::corrupt: return "corrupt";
  }
  return "?";
}

bool is_problem(segment_state state) noexcept {
  return state == segment_state::stale || state == segment_state::other_layout || state == segment_state::corrupt;
}

const char* text_of(shm::liveness life) noexcept {
  switch (life) {
    case shm::liveness::alive: return "alive";
    case shm::liveness::dead: return "dead";
    case shm::liveness::unknown: return "unknown";
  }
  return "?";
}

const char* text_of(shm::object_kind kind) noexcept {
  switch (kind) {
    case shm::object_kind::channel: return "channel";
    case shm::object_kind::array: return "array";
    case shm::object_kind::session: return "session";
    case shm::object_kind::results: return "results";
    case shm::object_kind::blob: return "blob";
    case shm::object_kind::team: return "team";
    case shm::object_kind::trace: return "trace";
  }
  return "?";
}

const char* text_of(channels::phase phase) noexcept {
  switch (phase) {
    case channels::phase::empty: return "empty";
    case channels::phase::writing: return "writing";
    case channels::phase::full: return "full";
    case channels::phase::reading: return "reading";
    case channels::phase::blank: return "blank";
    case channels::phase::orphan: return "orphan";
    case channels::phase::moving: return "moving";
    case channels::phase::viewing: return "viewing";
  }
  return "?";
}

const char* text_of(channels::block_phase phase) noexcept {
  switch (phase) {
    case channels::block_phase::free: return "free";
    case channels::block_phase::held: return "held";
    case channels::block_phase::taken: return "taken";
    case channels::block_phase::queued: return "queued";
    case channels::block_phase::orphan: return "orphan";
  }
  return "?";
}

const char* text_of(channels::view_phase phase) noexcept {
  switch (phase) {
    case channels::view_phase::none: return "none";
    case channels::view_phase::viewing: return "viewing";
    case channels::view_phase::orphan: return "orphan";
  }
  return "?";
}

const char* text_of(channels::waits_for what) noexcept {
  switch (what) {
    case channels::waits_for::nothing: return "nothing";
    case channels::waits_for::item: return "item";
    case channels::waits_for::room: return "room";
    case channels::waits_for::block: return "block";
    case channels::waits_for::pickup: return "pickup";
  }
  return "?";
}

const char* text_of(channels::closing closed) noexcept {
  switch (closed) {
    case channels::closing::open: return "open";
    case channels::closing::plain: return "closed";
    case channels::closing::reason: return "closed with a reason";
    case channels::closing::host_ended: return "closed: its host has ended";
  }
  return "?";
}

const char* text_of(runtime::worker_state state) noexcept {
  switch (state) {
    case runtime::worker_state::vacant: return "vacant";
    case runtime::worker_state::starting: return "starting";
    case runtime::worker_state::running: return "running";
    case runtime::worker_state::gone: return "gone";
  }
  return "?";
}

const char* text_of(runtime::rank_state state) noexcept {
  switch (state) {
    case runtime::rank_state::absent: return "absent";
    case runtime::rank_state::entered: return "entered";
    case runtime::rank_state::left: return "returned";
    case runtime::rank_state::failed: return "failed";
  }
  return "?";
}

}  // namespace weir::inspect
