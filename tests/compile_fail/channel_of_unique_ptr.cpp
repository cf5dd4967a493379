// SPDX-License-Identifier: BSL-1.0
#include <memory>
#include <optional>

#include "weir/channel.hpp"

#ifdef WEIR_MUST_COMPILE
using item = std::optional<int>;
#else
using item = std::unique_ptr<int>;
#endif

int main() {
  weir::channel<item> ch(1);
  ch.put(item());
  return ch.take() ? 1 : 0;
}
