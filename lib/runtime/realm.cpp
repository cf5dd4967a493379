// SPDX-License-Identifier: BSL-1.0
#include "runtime/realm.hpp"

#include <cctype>
#include <exception>
#include <vector>

#include "channel/attach.hpp"
#include "runtime/blob.hpp"
#include "segment/names.hpp"
#include "segment/segment.hpp"
#include "weir/detail/crash_point.hpp"

namespace weir::runtime {
namespace {

constexpr std::string_view kTableEnd = ".session";

std::string prefix_of(std::string_view realm) { return '@' + std::string(realm) + '.'; }

}  // namespace

void remove_realm(std::string_view realm) noexcept {
  try {
    remove_blobs(prefix_of(realm));
  } catch (const std::exception&) {
    // No memory: whoever sweeps next removes it.
  }
}

void remove_own_realm() noexcept {
  try {
    const std::string prefix = prefix_of(shm::realm());
    for (const std::string& name : shm::list_segments(prefix)) {
      WEIR_CRASH_POINT("realm.removing");
      // Unnamed objects begin with a number, the session's own segments with a word.
      const bool is_object = std::isdigit(static_cast<unsigned char>(name[prefix.size()])) != 0;
      if (is_object) {
        detail::remove_unless_attached(name);
      } else {
        remove_blob(name);
      }
    }
  } catch (const std::exception&) {
    // No memory: the next session of this user removes what is left once this process is dead.
  }
}

void remove_dead_realms() noexcept {
  try {
    for (const std::string& name : shm::list_segments("@")) {
      if (!name.ends_with(kTableEnd)) continue;
      try {
        const shm::segment table = shm::segment::open("look at session", name, shm::object_kind::session);
        if (!shm::is_dead(table.header().creator)) continue;
      } catch (const std::exception&) {
        continue;  // another user's, another version's, damaged, or just removed: not ours to judge
      }
      remove_realm(std::string_view(name).substr(1, name.size() - 1 - kTableEnd.size()));
    }
  } catch (const std::exception&) {
    // No memory: the dead can wait.
  }
}

}  // namespace weir::runtime
