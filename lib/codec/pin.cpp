// SPDX-License-Identifier: BSL-1.0
#include "channel/attach.hpp"
#include "channel/references.hpp"
#include "weir/error.hpp"

namespace weir::detail {

void pin(std::string_view reference) {
  if (channels::pin_other(reference)) return;
  try {
    pin(*attach_any(reference));
  } catch (const not_found&) {
    return;
  }
}

}  // namespace weir::detail
