// SPDX-License-Identifier: BSL-1.0
#include "weir/channel.hpp"

int main() {
  weir::channel<int> ch(1);
#ifdef WEIR_MUST_COMPILE
  ch.put(static_cast<short>(5));
#else
  ch.put(5.5);
#endif
}
