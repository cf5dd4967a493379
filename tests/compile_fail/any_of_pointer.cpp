// SPDX-License-Identifier: BSL-1.0
#include "weir/channel.hpp"

int main() {
  weir::channel<weir::any> ch(1);
  const int value = 5;
#ifdef WEIR_MUST_COMPILE
  ch.put(value);
#else
  ch.put(&value);
#endif
}
