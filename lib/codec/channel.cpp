// SPDX-License-Identifier: BSL-1.0
#include "weir/channel.hpp"

namespace weir::detail {

void throw_no_channel(std::string_view element_type) {
  throw invalid_argument("weir: channel<" + std::string(element_type) +
                         ">: this handle refers to no channel (make one, open one, or assign one)");
}

void print_channel(std::ostream& out, std::string_view element_type, const core_handle& core) {
  out << "channel<" << element_type << '>';
  if (!core) {
    out << "()";
    return;
  }
  const std::size_t items = size(*core);
  out << '(' << where(*core) << ", " << whence(*core) << ", " << id(*core) << ") (" << items
      << (items == 1 ? " item" : " items") << " available" << (is_open(*core) ? "" : ", closed") << ')';
}

}  // namespace weir::detail
