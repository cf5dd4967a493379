// SPDX-License-Identifier: BSL-1.0
#include <string>
#include <string_view>

#include "weir/channel.hpp"

#ifdef WEIR_MUST_COMPILE
using item = std::string;
#else
using item = std::string_view;
#endif

int main() {
  weir::channel<item> ch(1);
  ch.put("text");
  return ch.take().empty() ? 1 : 0;
}
