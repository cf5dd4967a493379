// SPDX-License-Identifier: BSL-1.0
#include <mutex>

#include "weir/channel.hpp"

#ifdef WEIR_MUST_COMPILE
using item = int;
#else
using item = std::mutex;
#endif

int main() {
  const weir::channel<item> ch(1);
  return ch.is_empty() ? 0 : 1;
}
