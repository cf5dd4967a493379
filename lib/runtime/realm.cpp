// SPDX-License-Identifier: BSL-1.0
#include "runtime/realm.hpp"

#include <cctype>
#include <exception>

#include "array/attach.hpp"
#include "array/users.hpp"
#include "channel/attach.hpp"
#include "runtime/blob.hpp"
#include "segment/names.hpp"
#include "segment/segment.hpp"
#include "trace/recorder.hpp"
#include "weir/detail/crash_point.hpp"

namespace weir::runtime {
namespace {

std::string prefix_of(std::string_view realm) { return '@' + std::string(realm) + '.'; }

}  // namespace

void remove_realm(std::string_view realm) noexcept {
  try {
    for (const std::string& name : shm::list_segments(prefix_of(realm))) {
      if (!trace::is_trace_name(name)) remove_blob(name);
    }
  } catch (const std::exception&) {
    // No memory: whoever sweeps next removes it.
  }
}

void remove_own_realm() noexcept {
  try {
    const std::string prefix = prefix_of(shm::realm());
    for (const std::string& name : shm::list_segments(prefix)) {
      if (trace::is_trace_name(name)) continue;
      WEIR_CRASH_POINT("realm.removing");
      // Unnamed objects begin with a number, the session's own segments with a word.
      const bool is_object = std::isdigit(static_cast<unsigned char>(name[prefix.size()])) != 0;
      if (is_object) {
        detail::remove_unless_attached(name);
        detail::remove_array_unless_attached(name);  // each leaves the other's kind alone
      } else {
        remove_blob(name);
      }
    }
    arrays::remove_own_file_bound();
  } catch (const std::exception&) {
    // No memory: the next session of this user removes what is left once this process is dead.
  }
}

}  // namespace weir::runtime
