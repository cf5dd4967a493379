// SPDX-License-Identifier: BSL-1.0
#include "weir/channel.hpp"

#ifdef WEIR_MUST_COMPILE
using item = int;
#else
using item = int*;
#endif

int main() {
  weir::channel<item> ch(1);
  ch.put(item());
  return ch.take() == item() ? 0 : 1;
}
