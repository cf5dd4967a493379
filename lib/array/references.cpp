// SPDX-License-Identifier: BSL-1.0
#include "array/references.hpp"

#include <string>

#include "array/attach.hpp"
#include "channel/references.hpp"
#include "weir/detail/crash_point.hpp"
#include "weir/error.hpp"

namespace weir::arrays {
namespace {

std::string_view segment_name_in(std::string_view reference) {
  if (!reference.starts_with(detail::kArrayReference)) {
    throw corrupt_segment("weir: open array: \"" + std::string(reference) + "\" is no reference to an array");
  }
  reference.remove_prefix(detail::kArrayReference.size());
  return reference.substr(0, reference.find('?'));
}

void pin(std::string_view reference) {
  try {
    detail::attach_array_segment("open array", segment_name_in(reference), nullptr)
        ->header()
        .pins.fetch_add(1, std::memory_order_seq_cst);
    WEIR_CRASH_POINT("array.pinned");
  } catch (const not_found&) {
    return;
  }
}

void unpin(std::string_view reference) noexcept {
  try {
    // Letting go of the handle afterwards removes the array if nothing keeps it any more.
    detail::attach_array_segment("open array", segment_name_in(reference), nullptr)
        ->header()
        .pins.fetch_sub(1, std::memory_order_seq_cst);
    WEIR_CRASH_POINT("array.unpinned");
  } catch (const std::exception&) {
    return;  // already gone
  }
}

}  // namespace

void connect_references() noexcept { channels::add_other_references({detail::kArrayReference, &pin, &unpin}); }

}  // namespace weir::arrays

namespace weir::detail {

std::string pin_array(const array_handle& core) {
  core->expect_not_forked();
  std::string reference = std::string(kArrayReference) + std::string(core->segment().name());
  core->header().pins.fetch_add(1, std::memory_order_seq_cst);
  WEIR_CRASH_POINT("array.pinned");
  return reference;
}

array_handle attach_array(std::string_view reference, const item_type& type) {
  return attach_array_segment("open array", arrays::segment_name_in(reference), &type);
}

}  // namespace weir::detail
