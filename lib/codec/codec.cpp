// SPDX-License-Identifier: BSL-1.0
#include "weir/codec.hpp"

namespace weir::detail {

void throw_wrong_size(std::string_view type, std::size_t found_bytes, std::string_view expected) {
  throw corrupt_segment("weir: read a value of type " + std::string(type) + ": it has " + std::to_string(found_bytes) +
                        " bytes, expected " + std::string(expected));
}

}  // namespace weir::detail
